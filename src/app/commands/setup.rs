//! `qianfa setup`: the first institute and its administrator.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::place::{Installation, failure};
use super::{CommandError, CommandOutcome, write_json};
use crate::accounts::{FirstAdministrator, bootstrap};
use crate::catalogue::CreateInstitute;
use crate::regulation::is_jurisdiction;
use crate::vocabulary::PasswordOrigin;

/// Make the first institute and its administrator, in a database without accounts
#[derive(Clone, Debug, Args)]
pub struct SetupArgs {
    #[command(flatten)]
    place: Installation,
    /// A short code of the institute, e.g. SXIDC
    #[arg(long, value_name = "CODE")]
    institute: String,
    /// Its name in Chinese
    #[arg(long, value_name = "NAME")]
    name_zh: String,
    /// Its name in English
    #[arg(long, value_name = "NAME")]
    name_en: String,
    /// What stands for it in numbers, e.g. 晋
    #[arg(long, value_name = "WORD")]
    abbreviation: String,
    /// Its jurisdiction in ISO 3166-2, e.g. CN-SX
    #[arg(long, value_name = "CODE")]
    jurisdiction: String,
    /// Its address in Chinese
    #[arg(long, value_name = "TEXT", default_value = "")]
    address_zh: String,
    /// Its address in English
    #[arg(long, value_name = "TEXT", default_value = "")]
    address_en: String,
    /// What its sample numbers begin with (default: the code)
    #[arg(long, value_name = "WORD")]
    sample_prefix: Option<String>,
    /// The administrator's user name
    #[arg(long, value_name = "NAME", default_value = "admin")]
    username: String,
    /// The administrator's name
    #[arg(long, value_name = "NAME", default_value = "系统管理员")]
    display_name: String,
    /// The file with the administrator's password on its first line; `-` is standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    password_file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Sets up.
///
/// # Errors
/// Where there are accounts already, or a field does not fit.
pub fn run(args: &SetupArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    if !is_jurisdiction(&args.jurisdiction) {
        let text = format!("`{}` is no jurisdiction: CN, or a subdivision such as CN-SH", args.jurisdiction);
        return Err(CommandError::at("invalid-field", "jurisdiction", text));
    }
    let password = first_line(&args.password_file)?;
    let (_, services) = args.place.services()?;
    let institute = CreateInstitute {
        code: args.institute.clone(),
        name_zh: args.name_zh.clone(),
        name_en: args.name_en.clone(),
        abbreviation: args.abbreviation.clone(),
        jurisdiction: args.jurisdiction.clone(),
        address_zh: args.address_zh.clone(),
        address_en: args.address_en.clone(),
        sample_prefix: args.sample_prefix.clone().unwrap_or_else(|| args.institute.clone()),
    };
    let admin = FirstAdministrator {
        username: args.username.clone(),
        display_name: args.display_name.clone(),
        password: password.into(),
        origin: PasswordOrigin::Own,
    };
    let made = bootstrap(&services, institute, admin).map_err(failure)?;
    if args.json {
        write_json(out, &made)?;
    } else {
        writeln!(out, "institute {}, administrator {}", args.institute, made.username)?;
    }
    Ok(CommandOutcome::Success)
}

fn first_line(path: &Path) -> Result<String, CommandError> {
    let told = |error: std::io::Error| CommandError::at("password", "password_file", error.to_string());
    let mut line = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_line(&mut line).map_err(told)?;
    } else {
        std::io::BufReader::new(std::fs::File::open(path).map_err(told)?).read_line(&mut line).map_err(told)?;
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
