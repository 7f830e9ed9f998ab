//! Every backend of this machine against the `cbc` crate: all lengths, all counts of lanes, ragged lengths, pieces.

use super::*;
use aes::cipher::{Array, BlockModeEncrypt, KeyIvInit};
use proptest::prelude::*;

/// The longest message of which every length is tried.
const LONGEST: usize = if cfg!(miri) { 40 } else { 4096 };
/// More lanes than two fillings of the widest table.
const MOST_LANES: usize = if cfg!(miri) { 4 } else { 40 };

/// All that this machine can do, the slowest first.
fn backends() -> Vec<Backend> {
    let mut backends = vec![Backend::Portable];
    #[cfg(target_arch = "x86_64")]
    if let Some(kernels) = x86::Kernels::detect() {
        backends.push(Backend::X86(kernels.only_narrow()));
        backends.push(Backend::X86(kernels));
    }
    backends
}

/// A message with its own key, IV and content; no two are alike.
struct Message {
    key: [u8; 32],
    iv: Block,
    content: Vec<u8>,
}

impl Message {
    fn new(number: usize, length: usize) -> Message {
        let octet = |at: usize, salt: usize| (number * 151 + at * 29 + at / 256 + salt) as u8;
        Message {
            key: std::array::from_fn(|at| octet(at, 1)),
            iv: std::array::from_fn(|at| octet(at, 2)),
            content: (0..length).map(|at| octet(at, 3)).collect(),
        }
    }

    /// By the crate.
    fn encrypted(&self) -> Vec<u8> {
        let mut content = self.content.clone();
        let (blocks, _) = Array::slice_as_chunks_mut(&mut content);
        cbc::Encryptor::<aes::Aes256>::new(&self.key.into(), &self.iv.into()).encrypt_blocks(blocks);
        content
    }
}

/// Where messages become their ciphertext.
#[derive(Debug, Clone, Copy)]
enum Place {
    There,
    Elsewhere,
    /// Every second one elsewhere.
    Both,
}

const PLACES: [Place; 3] = [Place::There, Place::Elsewhere, Place::Both];

impl Place {
    fn is_elsewhere(self, number: usize) -> bool {
        match self {
            Place::There => false,
            Place::Elsewhere => true,
            Place::Both => number % 2 == 1,
        }
    }

    /// What stands where the ciphertext comes: the message, or something else in its blocks.
    fn before(self, number: usize, message: &Message) -> Vec<u8> {
        let mut octets = message.content.clone();
        if self.is_elsewhere(number) {
            octets.as_chunks_mut::<BLOCK>().0.as_flattened_mut().fill(0xa5);
        }
        octets
    }
}

/// Encrypts them side by side, each in pieces of at most so many blocks.
fn encrypt_in_pieces(backend: Backend, messages: &[Message], blocks: usize, place: Place) -> Vec<Vec<u8>> {
    let mut streams: Vec<CbcStream> =
        messages.iter().map(|message| CbcStream::by(backend, &message.key, message.iv)).collect();
    let numbered = messages.iter().enumerate();
    let mut contents: Vec<Vec<u8>> =
        numbered.map(|(number, message)| place.before(number, message)).collect();
    let clear = messages.iter().map(|message| message.content.chunks(blocks * BLOCK));
    let pieces = contents.iter_mut().map(|content| content.chunks_mut(blocks * BLOCK));
    let mut pieces: Vec<_> = clear.zip(pieces).collect();
    loop {
        let next = streams.iter_mut().zip(&mut pieces).enumerate();
        let mut lanes: Vec<Lane<'_>> = next
            .filter_map(|(number, (stream, (clear, pieces)))| {
                let (clear, piece) = (clear.next()?, pieces.next()?);
                let is_elsewhere = place.is_elsewhere(number);
                Some(if is_elsewhere {
                    Lane::across(stream, clear, piece)
                } else {
                    Lane::in_place(stream, piece)
                })
            })
            .collect();
        if lanes.is_empty() {
            break;
        }
        backend.encrypt(&mut lanes);
    }
    contents
}

fn assert_as_the_crate(messages: &[Message], blocks: usize) {
    let expected: Vec<_> = messages.iter().map(Message::encrypted).collect();
    for (backend, place) in backends().into_iter().flat_map(|backend| PLACES.map(|place| (backend, place))) {
        let encrypted = encrypt_in_pieces(backend, messages, blocks, place);
        let lengths: Vec<_> = messages.iter().map(|message| message.content.len()).collect();
        assert!(
            encrypted == expected,
            "{backend:?}, {place:?}, lengths {lengths:?}, pieces of {blocks} blocks"
        );
    }
}

const WHOLE: usize = LONGEST + 1;

/// NIST SP 800-38A, F.2.5.
#[test]
fn the_known_answer_comes_out() {
    let key = [0x603d_eb10_15ca_71be_2b73_aef0_857d_7781_u128, 0x1f35_2c07_3b61_08d7_2d98_10a3_0914_dff4];
    let clear = [0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a, 0xae2d_8a57_1e03_ac9c_9eb7_6fac_45af_8e51];
    let sealed = [0xf58c_4c04_d6e5_f1ba_779e_abfb_5f7b_fbd6, 0x9cfc_4e96_7edb_808d_679f_777b_c670_2c7d];
    let octets = |blocks: [u128; 2]| blocks.map(u128::to_be_bytes).concat();
    for backend in backends() {
        let iv = std::array::from_fn(|at| at as u8);
        let message = Message { key: octets(key).try_into().unwrap(), iv, content: octets(clear) };
        assert_eq!(encrypt_in_pieces(backend, &[message], WHOLE, Place::There), [octets(sealed)]);
    }
}

/// A rest of less than a block stays as it is.
#[test]
fn every_length_alone() {
    for length in 0..=LONGEST {
        assert_as_the_crate(&[Message::new(length, length)], WHOLE);
    }
}

#[test]
fn every_length_beside_others() {
    let lengths: Vec<usize> = (0..=LONGEST).collect();
    for some in lengths.chunks(MOST_LANES) {
        let messages: Vec<_> = some.iter().map(|&length| Message::new(length, length)).collect();
        assert_as_the_crate(&messages, WHOLE);
    }
}

/// All alike, falling, rising: every count of columns, full and running empty, in step and not.
#[test]
fn every_number_of_lanes() {
    for count in 0..=MOST_LANES {
        let of = |length: &dyn Fn(usize) -> usize| -> Vec<Message> {
            (0..count).map(|number| Message::new(number, length(number))).collect()
        };
        assert_as_the_crate(&of(&|_| 5 * BLOCK), WHOLE);
        assert_as_the_crate(&of(&|number| number * BLOCK), WHOLE);
        assert_as_the_crate(&of(&|number| (count - number) * 3 * BLOCK + 1), WHOLE);
    }
}

#[test]
fn every_number_of_lanes_in_pieces() {
    for count in 0..=MOST_LANES {
        let messages: Vec<_> = (0..count).map(|number| Message::new(number, number % 7 * 40)).collect();
        for blocks in 1..=4 {
            assert_as_the_crate(&messages, blocks);
        }
    }
}

#[test]
fn streams_of_another_backend_go_their_own_way() {
    let each = |made| backends().into_iter().map(move |used| (made, used));
    for (made, used) in backends().into_iter().flat_map(each) {
        let count = if cfg!(miri) { 5 } else { 20 };
        let messages: Vec<_> = (0..count).map(|number| Message::new(number, number * BLOCK)).collect();
        let mut contents: Vec<_> = messages.iter().map(|message| message.content.clone()).collect();
        let mut streams: Vec<_> =
            messages.iter().map(|message| CbcStream::by(made, &message.key, message.iv)).collect();
        let pairs = streams.iter_mut().zip(&mut contents);
        used.encrypt(&mut pairs.map(|(stream, blocks)| Lane::in_place(stream, blocks)).collect::<Vec<_>>());
        assert!(contents == messages.iter().map(Message::encrypted).collect::<Vec<_>>(), "{made:?} {used:?}");
    }
}

/// Of a clear text and a place of different lengths the shorter counts; what is behind stays.
#[test]
fn neither_more_is_read_than_there_is_nor_more_written_than_there_is_room_for() {
    for (backend, (clear, room)) in backends().into_iter().flat_map(|backend| {
        [(0, 48), (48, 0), (48, 32), (32, 48), (40, 48), (48, 47), (15, 16)].map(|lengths| (backend, lengths))
    }) {
        let (message, other) = (Message::new(1, clear), Message::new(2, 64));
        let mut streams = [&message, &other].map(|message| CbcStream::by(backend, &message.key, message.iv));
        let [one, two] = &mut streams;
        let (mut to, mut beside) = (vec![0xa5; room], other.content.clone());
        backend
            .encrypt(&mut [Lane::across(one, &message.content, &mut to), Lane::in_place(two, &mut beside)]);
        let whole = clear.min(room) / BLOCK * BLOCK;
        assert!(to[..whole] == message.encrypted()[..whole], "{backend:?} {clear} {room}");
        assert!(to[whole..].iter().all(|octet| *octet == 0xa5), "{backend:?} {clear} {room}");
        assert!(beside == other.encrypted());
    }
}

#[test]
fn the_backend_says_what_it_is() {
    let told: Vec<_> = backends().iter().map(|backend| (backend.to_string(), backend.width())).collect();
    let known = [("portable", 1), ("AES-NI", 8), ("VAES", 16)].map(|(name, width)| (name.to_owned(), width));
    assert!(told.iter().all(|told| known.contains(told)), "{told:?}");
    assert_eq!(told.last(), Some(&(Backend::chosen().to_string(), width())));
}

/// Whoever could copy a stream could encrypt two messages with one chain; whoever could print it would print a key.
#[test]
fn a_stream_is_neither_copied_nor_printed() {
    trait UnlessClone<Marker> {
        const IS: () = ();
    }
    impl<T> UnlessClone<()> for T {}
    impl<T: Clone> UnlessClone<u8> for T {}
    trait UnlessDebug<Marker> {
        const IS: () = ();
    }
    impl<T> UnlessDebug<()> for T {}
    impl<T: fmt::Debug> UnlessDebug<u8> for T {}
    // With a second implementation the compiler would not know which one is meant.
    let () = <CbcStream as UnlessClone<_>>::IS;
    let () = <CbcStream as UnlessDebug<_>>::IS;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    /// Columns are given up and taken anew in every order.
    #[test]
    fn ragged_lengths_in_pieces(
        lengths in proptest::collection::vec(
            prop_oneof![Just(0), 0..64usize, 0..LONGEST],
            0..=MOST_LANES
        ),
        blocks in prop_oneof![1..8usize, Just(WHOLE)],
    ) {
        let messages: Vec<_> =
            lengths.iter().enumerate().map(|(number, &length)| Message::new(number, length)).collect();
        assert_as_the_crate(&messages, blocks);
    }
}
