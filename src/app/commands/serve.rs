//! `qianfa serve`, `qianfa migrate`

use std::io::Write;
use std::net::SocketAddr;

use clap::Args;

use super::place::{Installation, start};
use super::{CommandError, CommandOutcome};
use crate::app::serve::Application;
use crate::app::signals::Signals;
use crate::app::telemetry;
use crate::clock::Clock;
use crate::store::applied_versions;

/// Serve the pages and the API
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    place: Installation,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Serves until it is asked to stop.
///
/// # Errors
/// One plain line where it cannot start.
pub fn run(args: &ServeArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let mut config = args.place.config()?;
    if let Some(listen) = args.listen {
        config.listen_on(listen);
    }
    telemetry::start(config.log_format, &config.log_level);
    let failed = |error: std::io::Error| CommandError::new("serve", error.to_string());
    // Before anything is opened: whoever is asked to stop while it starts stops in order, too.
    let system = actix_web::rt::System::new();
    let signals = system.block_on(async { Signals::register() }).map_err(failed)?;
    let signals = match config.tls {
        Some(_) => system.block_on(async { signals.and_hang_up() }).map_err(failed)?,
        None => signals,
    };
    let app = Application::build(&config, Clock::system()).map_err(start)?;
    writeln!(out, "{}", app.url())?;
    out.flush()?;
    system.block_on(app.run_with(signals)).map_err(failed)?;
    Ok(CommandOutcome::Success)
}

/// Bring the schema of the database up to date
#[derive(Clone, Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    place: Installation,
}

/// Migrates; opening an installation does it.
///
/// # Errors
/// One plain line that names the migration.
pub fn migrate(args: &MigrateArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let (_, services) = args.place.services()?;
    let versions = services.db.read(|conn| Ok(applied_versions(conn)?)).map_err(super::place::failure)?;
    writeln!(out, "schema {}", versions.last().map_or("empty", String::as_str))?;
    Ok(CommandOutcome::Success)
}
