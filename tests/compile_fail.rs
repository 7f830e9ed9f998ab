//! The types that carry the promises cannot be made elsewhere: the compiler says so, in these words.

#[test]
fn promises_cannot_be_forged() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
