//! The `sealpost` command: parse, run, exit code.

fn main() -> std::process::ExitCode {
    sealpost::cli::main()
}
