//! `qianfa catalogue-keeper`: which institute keeps the shared catalogue.

use std::io::Write;

use clap::Args;

use super::place::{Installation, failure};
use super::{CommandError, CommandOutcome, write_json};
use crate::action::act_as_program;
use crate::catalogue::NameKeeper;
use crate::record::{Actor, Author};

/// Say which institute keeps the shared catalogue; two of its people change what is in it
#[derive(Clone, Debug, Args)]
pub struct KeeperArgs {
    #[command(flatten)]
    place: Installation,
    /// The institute's code, e.g. SXIDC
    institute: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Names the keeper.
///
/// # Errors
/// Where there is no institute of that code.
pub fn run(args: &KeeperArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let (_, services) = args.place.services()?;
    let program = Actor {
        account: "".into(),
        username: "installation".into(),
        display_name: "installation".into(),
        institute: None,
        applicant: None,
        roles: Vec::new(),
        request_id: None,
        session: None,
    };
    let action = NameKeeper { code: args.institute.clone() };
    let id = act_as_program(&services, &program, Author::nobody("installation", None), action).map_err(failure)?;
    if args.json {
        write_json(out, &serde_json::json!({"institute": id}))?;
    } else {
        writeln!(out, "{} keeps the shared catalogue", args.institute)?;
    }
    Ok(CommandOutcome::Success)
}
