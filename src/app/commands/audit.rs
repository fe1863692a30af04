//! `qianfa audit verify`

use std::io::Write;

use clap::{Args, Subcommand};

use super::place::{Installation, failure};
use super::{CommandError, CommandOutcome, write_json};
use crate::record::{PublicKeys, Witness, verify};

/// The audit trail
#[derive(Clone, Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum AuditCommand {
    /// Recompute every seal; the first entry that does not fit is named
    Verify {
        #[command(flatten)]
        place: Installation,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Verifies the trail: success where everything sealed fits.
///
/// # Errors
/// Where the database or the keys cannot be read.
pub fn run(args: &AuditArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let AuditCommand::Verify { place, json } = &args.command;
    let (config, db) = place.to_look_at()?;
    let folder = config.site.keys();
    let keys = PublicKeys::open(&folder).map_err(|text| CommandError::new("keys", text))?;
    let witness = Witness::read(&folder).map_err(|text| CommandError::new("keys", text))?;
    let report = verify(&db, &keys, witness.as_ref()).map_err(failure)?;
    if *json {
        write_json(out, &report)?;
    } else {
        writeln!(out, "{} entries under {} seals fit", report.entries, report.seals)?;
        writeln!(out, "{} entries are not sealed yet", report.unsealed)?;
        if let Some(misfit) = &report.misfit {
            writeln!(out, "{} / {}", misfit.message_zh, misfit.message_en)?;
        }
    }
    Ok(if report.intact { CommandOutcome::Success } else { CommandOutcome::Refusal })
}
