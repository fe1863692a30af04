//! `qianfa audit verify`

use std::io::Write;

use clap::{Args, Subcommand};

use super::place::{Installation, failure};
use super::{CommandError, CommandOutcome, write_json};
use crate::clock::Clock;
use crate::documents::certificates_from_pem;
use crate::record::{
    Memory, PublicKeys, RecordAcceptance, RecordRefusal, SealKey, Witness, accept, compare_anchors, join, renewed,
    seal_misfit, verify,
};
use crate::refusal::Refusal;
use crate::store::blobs::Blobs;

/// The audit trail
#[derive(Clone, Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum AuditCommand {
    /// Recompute every seal, and compare every row and every file with the trail; what does not fit is named
    Verify {
        #[command(flatten)]
        place: Installation,
        /// A seal that the trail must have, as a certificate prints it: its number, a colon, its SHA-256; may be repeated
        #[arg(long, value_name = "NUMBER:SHA256", value_parser = Witness::parse)]
        seal: Vec<Witness>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a new key that seals in the place of the old one, which signs for it and is gone then; stop the server first
    RenewKey {
        #[command(flatten)]
        place: Installation,
    },
    /// Let this server seal for the installation whose keys lie in a folder: a second one beside the same PostgreSQL, before
    /// its first start. The folder is the `keys` of the first server, brought here in a safe way
    Join {
        #[command(flatten)]
        place: Installation,
        /// The folder with the keys of the first server
        #[arg(long, value_name = "FOLDER")]
        from: std::path::PathBuf,
        /// Who introduces it, by name
        #[arg(long)]
        by: String,
    },
    /// Decide that the database is the right one although it is not the one that is remembered beside the keys: after an
    /// older copy was brought back, or the memory was lost. Until then nothing is written
    Accept {
        #[command(flatten)]
        place: Installation,
        /// Who decides, by name
        #[arg(long)]
        by: String,
        /// Why, e.g. which copy was brought back and what became of the records since
        #[arg(long)]
        reason: String,
    },
}

/// Verifies the record, or keeps a decision about it.
///
/// # Errors
/// Where the database, the keys or the files cannot be read.
pub fn run(args: &AuditArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    match &args.command {
        AuditCommand::Verify { place, seal, json } => verify_all(place, seal, *json, out),
        AuditCommand::RenewKey { place } => {
            let (config, db) = place.existing()?;
            let keys = |text: String| CommandError::new("keys", text);
            let (old, new) = SealKey::renew(&config.site.keys()).map_err(keys)?;
            renewed(&db, &Clock::system(), &old, &new).map_err(failure)?;
            writeln!(out, "{old} signed for {new}, which seals from now on; keep a copy of its public half elsewhere")?;
            Ok(CommandOutcome::Success)
        }
        AuditCommand::Join { place, from, by } => {
            let (config, db) = place.existing()?;
            let last = join(&db, &Clock::system(), from, &config.site.keys(), by).map_err(failure)?;
            writeln!(out, "this server seals for the same installation, from seal {last} on")?;
            Ok(CommandOutcome::Success)
        }
        AuditCommand::Accept { place, by, reason } => {
            let (config, db) = place.existing()?;
            let acceptance = RecordAcceptance { by: by.clone(), reason: reason.clone() };
            let how = accept(&db, &Clock::system(), &config.site.keys(), &acceptance).map_err(failure)?;
            let refusal = Refusal::from(RecordRefusal::Misremembered(how));
            writeln!(out, "on the trail: {} / {}", refusal.message_zh, refusal.message_en)?;
            Ok(CommandOutcome::Success)
        }
    }
}

/// Success where everything fits.
fn verify_all(
    place: &Installation,
    seals: &[Witness],
    json: bool,
    out: &mut dyn Write,
) -> Result<CommandOutcome, CommandError> {
    let (config, db) = place.to_look_at()?;
    let folder = config.site.keys();
    let keys = PublicKeys::open(&folder).map_err(|text| CommandError::new("keys", text))?;
    let witness = Witness::read(&folder).map_err(|text| CommandError::new("keys", text))?;
    let files = Blobs::open(config.site.files()).map_err(|error| CommandError::new("files", error.to_string()))?;
    let mut report = verify(&db, &keys, Memory::Kept(witness.as_ref()), Some(&files)).map_err(failure)?;
    if let Some(path) = &config.seal_roots {
        let told = |error: String| CommandError::new("seal.authority_roots", error);
        let pem = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
        let roots = certificates_from_pem(&pem).map_err(|error| told(error.to_string()))?;
        let mut untrusted = Vec::new();
        db.read(|conn| compare_anchors(conn, &roots, &mut untrusted)).map_err(failure)?;
        // What fits no seal at all was reported already.
        for one in untrusted {
            let told = report.misfit.iter().chain(&report.more).any(|known| *known == one);
            report.also(Some(one).filter(|_| !told));
        }
    }
    for seal in seals {
        report.also(db.read(|conn| seal_misfit(conn, seal)).map_err(failure)?);
    }
    if json {
        write_json(out, &report)?;
    } else {
        writeln!(out, "{} entries under {} seals fit", report.entries, report.seals)?;
        writeln!(out, "{} entries are not sealed yet", report.unsealed)?;
        writeln!(out, "{} rows and {} files were compared with it", report.rows, report.files)?;
        if report.anchors > 0 {
            writeln!(out, "{} answers from outside are about their seals", report.anchors)?;
        }
        if report.rows_taken_over > 0 {
            writeln!(out, "{} of the rows were taken over by an upgrade as they were then", report.rows_taken_over)?;
        }
        for misfit in report.misfit.iter().chain(&report.more) {
            writeln!(out, "{} / {}", misfit.message_zh, misfit.message_en)?;
        }
    }
    Ok(if report.intact { CommandOutcome::Success } else { CommandOutcome::Refusal })
}
