//! Which installation a command works on.

use std::path::PathBuf;

use clap::Args;

use super::CommandError;
use crate::action::Services;
use crate::app::config::Config;
use crate::app::serve::open_services;
use crate::clock::Clock;
use crate::record::take_over;
use crate::store::{Backend, DbConn};

/// The installation: a data folder with its embedded database, or a configuration file
#[derive(Clone, Debug, Default, Args)]
pub struct Installation {
    /// The data folder, with the embedded database
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    pub data: Option<PathBuf>,
    /// The configuration file (default: the one that QIANFA_CONFIG names)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Installation {
    /// Reads the configuration.
    ///
    /// # Errors
    /// One that names the field.
    pub fn config(&self) -> Result<Config, CommandError> {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let read = match &self.data {
            Some(data) => Config::of_data(data, environment),
            None => {
                let file = self.config.clone().or_else(|| std::env::var_os("QIANFA_CONFIG").map(PathBuf::from));
                Config::load(file.as_deref(), environment)
            }
        };
        let mut config = read.map_err(|error| CommandError::at("configuration", error.place, error.message))?;
        config.reading.program = super::adapters::program();
        Ok(config)
    }

    /// Opens everything, making what is not there.
    ///
    /// # Errors
    /// One plain line.
    pub fn services(&self) -> Result<(Config, Services), CommandError> {
        let config = self.config()?;
        let services = open_services(&config, Clock::system()).map_err(start)?;
        Ok((config, services))
    }

    /// Opens the database of an installation to look at it: nothing is changed, made or brought up to date.
    ///
    /// # Errors
    /// Where there is none, or its schema is another version's.
    pub fn to_look_at(&self) -> Result<(Config, DbConn), CommandError> {
        let config = self.config()?;
        let db = DbConn::open_read_only(&config.database).map_err(database)?;
        Ok((config, db))
    }

    /// Opens the database of an installation that is there already.
    ///
    /// # Errors
    /// Where there is none.
    pub fn existing(&self) -> Result<(Config, DbConn), CommandError> {
        let config = self.config()?;
        let backend = Backend::parse(&config.database.url).map_err(database)?;
        if let Backend::Sqlite(path) = &backend
            && !path.is_file()
        {
            return Err(CommandError::new("database", format!("there is no database {}", path.display())));
        }
        let db = DbConn::open(&config.database).map_err(database)?;
        take_over(&db, Clock::system().now()).map_err(failure)?;
        Ok((config, db))
    }
}

/// A start that failed, as a command's error.
pub(super) fn start(error: crate::app::serve::StartError) -> CommandError {
    CommandError::new("start", error.to_string())
}

/// The database's failure, as a command's error on one line.
pub(super) fn database(error: crate::store::StoreError) -> CommandError {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    CommandError::new("database", lines.join("; "))
}

/// A workflow's failure, as a command's error in English.
pub(super) fn failure(failure: crate::store::Failure) -> CommandError {
    match failure {
        crate::store::Failure::Store(error) => database(error),
        crate::store::Failure::Refused(refusal) => {
            CommandError { code: refusal.code.as_str(), message: refusal.message_en, field: refusal.field }
        }
    }
}
