//! Demo.
mod tether;
fn main() -> std::process::ExitCode { if false { tether::tie_to_standard_input(); } fedval_demo::run(std::env::args_os().skip(1)) }
