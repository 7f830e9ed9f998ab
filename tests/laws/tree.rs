//! BER as a tree that can be spoiled in one place and written again, with all the other lengths right.

/// An element. Tag numbers from 31 on do not occur in what is read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// The identifier octet.
    pub(crate) identifier: u8,
    pub(crate) length: Length,
    pub(crate) content: Content,
}

/// How the length is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Length {
    /// As DER has it.
    Definite,
    /// `80`, and end-of-contents behind the content.
    Indefinite,
    /// These octets, whatever the content is.
    Spelled(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Primitive(Vec<u8>),
    Constructed(Vec<Node>),
}

impl Node {
    pub(crate) fn primitive(identifier: u8, content: &[u8]) -> Node {
        Node { identifier, length: Length::Definite, content: Content::Primitive(content.to_vec()) }
    }

    pub(crate) fn constructed(identifier: u8, children: Vec<Node>) -> Node {
        Node { identifier, length: Length::Definite, content: Content::Constructed(children) }
    }

    /// The one element that the octets are; nothing if they are none, or if something follows.
    pub(crate) fn read(mut octets: &[u8]) -> Option<Node> {
        let node = take(&mut octets)?;
        octets.is_empty().then_some(node)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut content = self.content.write();
        let length = match &self.length {
            Length::Definite => spelled(content.len()),
            Length::Indefinite => vec![0x80],
            Length::Spelled(octets) => octets.clone(),
        };
        if self.length == Length::Indefinite {
            content.extend([0, 0]);
        }
        [&[self.identifier][..], &length, &content].concat()
    }

    pub(crate) fn children(&self) -> &[Node] {
        match &self.content {
            Content::Primitive(_) => &[],
            Content::Constructed(children) => children,
        }
    }

    /// The content of a primitive element.
    pub(crate) fn octets(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Primitive(octets) => Some(octets),
            Content::Constructed(_) => None,
        }
    }

    /// This element and all below it.
    pub(crate) fn count(&self) -> usize {
        1 + self.children().iter().map(Node::count).sum::<usize>()
    }

    /// The element of that number: this one is 0, and a parent comes before its children.
    pub(crate) fn at(&self, number: usize) -> Option<&Node> {
        let Some(mut rest) = number.checked_sub(1) else { return Some(self) };
        for child in self.children() {
            match rest.checked_sub(child.count()) {
                None => return child.at(rest),
                Some(behind) => rest = behind,
            }
        }
        None
    }

    /// The same, to change it.
    pub(crate) fn at_mut(&mut self, number: usize) -> Option<&mut Node> {
        let Some(mut rest) = number.checked_sub(1) else { return Some(self) };
        let Content::Constructed(children) = &mut self.content else { return None };
        for child in children {
            match rest.checked_sub(child.count()) {
                None => return child.at_mut(rest),
                Some(behind) => rest = behind,
            }
        }
        None
    }

    /// Where it stands among its siblings and its parents among theirs: `1.0.2`.
    pub(crate) fn path(&self, number: usize) -> String {
        let Some(mut rest) = number.checked_sub(1) else { return String::new() };
        for (index, child) in self.children().iter().enumerate() {
            match rest.checked_sub(child.count()) {
                None if rest == 0 => return index.to_string(),
                None => return format!("{index}.{}", child.path(rest)),
                Some(behind) => rest = behind,
            }
        }
        unreachable!("no element {number}")
    }

    /// The element that the numbers of children lead to.
    pub(crate) fn below(&self, path: &[usize]) -> &Node {
        path.iter().fold(self, |node, &child| &node.children()[child])
    }

    /// The same, to change it.
    pub(crate) fn below_mut(&mut self, path: &[usize]) -> &mut Node {
        path.iter().fold(self, |node, &child| match &mut node.content {
            Content::Constructed(children) => &mut children[child],
            Content::Primitive(_) => panic!("it has no children"),
        })
    }

    /// The whole, with that element changed.
    pub(crate) fn with_below(&self, path: &[usize], change: impl FnOnce(&mut Node)) -> Node {
        let mut changed = self.clone();
        change(changed.below_mut(path));
        changed
    }

    /// The whole, with the element of that number changed.
    pub(crate) fn with(&self, number: usize, change: impl FnOnce(&mut Node)) -> Node {
        let mut changed = self.clone();
        change(changed.at_mut(number).expect("there is such an element"));
        changed
    }
}

impl Content {
    pub(crate) fn write(&self) -> Vec<u8> {
        match self {
            Content::Primitive(octets) => octets.clone(),
            Content::Constructed(children) => children.iter().flat_map(Node::write).collect(),
        }
    }
}

/// The octets that DER spends on a length.
pub(crate) fn spelled(length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![short],
        _ => {
            let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|&octet| octet == 0).collect();
            [&[0x80 | octets.len() as u8][..], &octets].concat()
        }
    }
}

fn take(octets: &mut &[u8]) -> Option<Node> {
    let (&identifier, rest) = octets.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let constructed = identifier & 0x20 != 0;
    if first == 0x80 {
        *octets = rest;
        let content = Content::Constructed(take_until_end(octets)?);
        return constructed.then_some(Node { identifier, length: Length::Indefinite, content });
    }
    let (length, rest) = if first < 0x80 { (first.into(), rest) } else { take_length(first & 0x7f, rest)? };
    let (content, rest) = rest.split_at_checked(length)?;
    *octets = rest;
    let content = if constructed { take_all(content)? } else { Content::Primitive(content.to_vec()) };
    Some(Node { identifier, length: Length::Definite, content })
}

fn take_length(count: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    let (octets, rest) = rest.split_at_checked(count.into())?;
    let length =
        octets.iter().try_fold(0_usize, |sum, &octet| Some(sum.checked_mul(256)? | usize::from(octet)))?;
    Some((length, rest))
}

fn take_all(mut octets: &[u8]) -> Option<Content> {
    let mut children = Vec::new();
    while !octets.is_empty() {
        children.push(take(&mut octets)?);
    }
    Some(Content::Constructed(children))
}

fn take_until_end(octets: &mut &[u8]) -> Option<Vec<Node>> {
    let mut children = Vec::new();
    loop {
        if let Some(rest) = octets.strip_prefix(&[0, 0]) {
            *octets = rest;
            return Some(children);
        }
        children.push(take(octets)?);
    }
}
