//! What a hook hands over holds the message in the clear: it has no `Debug`.

fn print(request: &sealpost::engine::Request<'_>) -> String {
    format!("{request:?}")
}

fn main() {
    let _ = print;
}
