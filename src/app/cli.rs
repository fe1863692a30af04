//! The command line: words in, one call, an exit code out (0 success, 1 refusal or failed check, 2 wrong usage).

use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use super::commands::{
    CommandError, CommandOutcome, adapters, audit, backup, calendar, certificate, demo, keeper, numeric, regulation,
    serve, setup,
};

/// 签发 Qianfa: from a sample at the desk to a signed certificate
#[derive(Debug, Parser)]
#[command(name = "qianfa", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Migrate(serve::MigrateArgs),
    Setup(setup::SetupArgs),
    CatalogueKeeper(keeper::KeeperArgs),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Regulation(regulation::RegulationArgs),
    Calendar(calendar::CalendarArgs),
    Numeric(numeric::NumericArgs),
    Adapters(adapters::AdaptersArgs),
    Certificate(CertificateArgs),
    Audit(audit::AuditArgs),
}

/// Signed certificates
#[derive(Debug, Args)]
struct CertificateArgs {
    #[command(subcommand)]
    command: CertificateCommand,
}

#[derive(Debug, Subcommand)]
enum CertificateCommand {
    Verify(certificate::VerifyArgs),
}

impl Command {
    fn run(&self, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
        match self {
            Self::Demo(args) => demo::run(args, out),
            Self::Serve(args) => serve::run(args, out),
            Self::Migrate(args) => serve::migrate(args, out),
            Self::Setup(args) => setup::run(args, out),
            Self::CatalogueKeeper(args) => keeper::run(args, out),
            Self::Backup(args) => backup::backup(args, out),
            Self::Restore(args) => backup::restore(args, out),
            Self::Regulation(args) => regulation::run(args, out),
            Self::Calendar(args) => calendar::run(args, out),
            Self::Numeric(args) => numeric::run(args, out),
            Self::Adapters(args) => adapters::run(args, out),
            Self::Certificate(CertificateArgs { command: CertificateCommand::Verify(args) }) => {
                certificate::run_here(args, out)
            }
            Self::Audit(args) => audit::run(args, out),
        }
    }
}

/// Reads the program's words and runs them.
#[must_use]
pub fn main() -> ExitCode {
    super::modes::for_the_owner_alone();
    adapters::this_is_the_program();
    let json = std::env::args_os().take_while(|word| word != "--").any(|word| word == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error, json),
    };
    let mut out = std::io::stdout().lock();
    let ended = cli.command.run(&mut out).and_then(|outcome| {
        out.flush()?;
        Ok(outcome)
    });
    match ended {
        Ok(CommandOutcome::Success) => ExitCode::SUCCESS,
        Ok(CommandOutcome::Refusal) => ExitCode::from(1),
        Err(error) => {
            tell(&error, json);
            ExitCode::from(1)
        }
    }
}

fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A closed pipe is the reader's choice.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if json {
        tell(&CommandError::new("usage", error.render().to_string().trim().to_owned()), true);
    } else {
        let _ = error.print();
    }
    ExitCode::from(2)
}

fn tell(error: &CommandError, json: bool) {
    let mut to = std::io::stderr().lock();
    // Where standard error is closed there is nobody left to tell.
    let _ = if json {
        serde_json::to_writer(&mut to, error).map_err(std::io::Error::from).and_then(|()| writeln!(to))
    } else {
        match &error.field {
            Some(field) => writeln!(to, "qianfa: {field}: {}", error.message),
            None => writeln!(to, "qianfa: {}", error.message),
        }
    };
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_words_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
