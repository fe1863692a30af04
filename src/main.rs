//! 签发 Qianfa: one binary; see `qianfa --help`.

fn main() -> std::process::ExitCode {
    qianfa::app::cli::main()
}
