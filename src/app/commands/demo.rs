//! `qianfa demo`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::place::{failure, start};
use super::{CommandError, CommandOutcome};
use crate::app::config::Config;
use crate::app::demo::{self, DemoError, DemoFiles, PASSWORD};
use crate::app::serve::{Application, open_services};
use crate::app::signals::Signals;
use crate::app::telemetry;
use crate::clock::Clock;
use crate::documents::{OsRng, TestCa};

/// Show a demonstration institute and three cases, from intake to signed certificate, then serve the pages
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "qianfa-demo")]
    data: PathBuf,
    /// Exit after the third certificate instead of serving
    #[arg(long)]
    once: bool,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Take the instrument files from a folder of real ones
    #[arg(long, value_name = "DIR")]
    instrument_files: Option<PathBuf>,
}

/// Runs the demonstration, then serves.
///
/// # Errors
/// One plain line.
pub fn run(args: &DemoArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    if !args.listen.ip().is_loopback() {
        let text = format!(
            "{} is no loopback address: the accounts of a demonstration have a password that everybody can read",
            args.listen
        );
        return Err(CommandError::at("demonstration", "listen", text));
    }
    let mut config = Config::of_data(&args.data, std::iter::empty())
        .map_err(|error| CommandError::at("configuration", error.place, error.message))?;
    config.listen_on(args.listen);
    config.reading.program = super::adapters::program();
    telemetry::start(config.log_format, "warn,qianfa=info");
    show(args, &config, out)?;
    if args.once {
        return Ok(CommandOutcome::Success);
    }
    let system = actix_web::rt::System::new();
    let failed = |error: std::io::Error| CommandError::new("serve", error.to_string());
    let signals = system.block_on(async { Signals::register() }).map_err(failed)?;
    let app = Application::build(&config, Clock::system()).map_err(start)?;
    writeln!(out, "\n页面与接口 pages and API: http://{}", app.address())?;
    writeln!(
        out,
        "账户 accounts: receiver.sh analyst.sh reviewer.sh quality.sh signatory.sh sampler.sh (.sx), admin; 密码 password: {PASSWORD}"
    )?;
    out.flush()?;
    system.block_on(app.run_with(signals)).map_err(failed)?;
    Ok(CommandOutcome::Success)
}

/// Takes the cases through, unless the folder has them already.
fn show(args: &DemoArgs, config: &Config, out: &mut dyn Write) -> Result<(), CommandError> {
    let clock = Clock::set_to(demo::beginning());
    let keys = config.site.keys();
    if !keys.join("signer.pem").exists() {
        test_authority(&keys)?;
    }
    let services = open_services(config, clock.clone()).map_err(start)?;
    if demo::is_set_up(&services).map_err(failure)? {
        if args.instrument_files.is_some() {
            let text = format!("{} has a demonstration already: name another folder", args.data.display());
            return Err(CommandError::at("data", "data", text));
        }
        writeln!(out, "演示数据已在 {} / the demonstration is there already", args.data.display())?;
        return Ok(());
    }
    let files = match &args.instrument_files {
        Some(folder) => DemoFiles::real(folder, &services.adapters),
        None => DemoFiles::own(),
    };
    let files = files.map_err(told)?;
    demo::run(&services, &clock, &files, out).map_err(told)?;
    services.sealer.seal_all(std::time::Duration::from_secs(5)).map_err(failure)?;
    Ok(())
}

/// A certification authority for this folder alone. Real institutes name their own key in the configuration.
fn test_authority(keys: &Path) -> Result<(), CommandError> {
    let wrong = |error: &dyn std::fmt::Display| CommandError::new("keys", error.to_string());
    std::fs::create_dir_all(keys).map_err(|error| wrong(&error))?;
    let made = TestCa::create("药品检验演示研究院 Demonstration Institute", &mut OsRng, demo::beginning());
    made.and_then(|authority| authority.write(keys)).map_err(|error| wrong(&error))?;
    Ok(())
}

fn told(error: DemoError) -> CommandError {
    match error {
        DemoError::Workflow(failed) => failure(failed),
        other => CommandError::new("demo", other.to_string()),
    }
}
