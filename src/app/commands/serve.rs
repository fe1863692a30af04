//! `qianfa serve`, `qianfa migrate`

use std::io::Write;
use std::net::SocketAddr;

use clap::Args;

use super::place::{Place, start};
use super::{CommandError, Outcome};
use crate::app::serve::Application;
use crate::app::telemetry;
use crate::clock::Clock;
use crate::store::applied_versions;

/// Serve the pages and the API
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    place: Place,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Serves until it is asked to stop.
///
/// # Errors
/// One plain line where it cannot start.
pub fn run(args: &ServeArgs, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let mut config = args.place.config()?;
    if let Some(listen) = args.listen {
        if config.site.public_url == format!("http://{}", config.listen) {
            config.site.public_url = format!("http://{listen}");
        }
        config.listen = listen;
        config.site.listen = listen;
    }
    telemetry::start(config.log_format, &config.log_level);
    let app = Application::build(&config, Clock::system()).map_err(start)?;
    writeln!(out, "http://{}", app.address())?;
    out.flush()?;
    actix_web::rt::System::new().block_on(app.run()).map_err(|error| CommandError::new("serve", error.to_string()))?;
    Ok(Outcome::Success)
}

/// Bring the schema of the database up to date
#[derive(Clone, Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    place: Place,
}

/// Migrates; opening an installation does it.
///
/// # Errors
/// One plain line that names the migration.
pub fn migrate(args: &MigrateArgs, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let (_, services) = args.place.services()?;
    let versions = services.db.read(|conn| Ok(applied_versions(conn)?)).map_err(super::place::failure)?;
    writeln!(out, "schema {}", versions.last().map_or("empty", String::as_str))?;
    Ok(Outcome::Success)
}
