//! Sections of the configuration that are settings of other modules.

use std::time::Duration;

use super::{ConfigError, RawInstruments, RawReading, RawSeal, ReadingConfig, between};
use crate::record::{AnchorSettings, SyslogAddress};
use instrument_adapters::isolated::PoolSettings;

/// A token is signed by its authority and a seal has nothing secret in it: plain http is enough.
pub(super) fn anchors(raw: &RawSeal) -> Result<AnchorSettings, ConfigError> {
    let authority = match raw.authority.as_deref() {
        Some(url) if url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty() && !rest.contains(' ')) => {
            Some(url.to_owned())
        }
        Some(url) => return Err(ConfigError::new("seal.authority", format!("expected http://…, found {url:?}"))),
        None => None,
    };
    let syslog = match raw.syslog.as_deref() {
        Some(text) => Some(SyslogAddress::parse(text).ok_or_else(|| {
            ConfigError::new("seal.syslog", format!("expected udp://host:port or tcp://host:port, found {text:?}"))
        })?),
        None => None,
    };
    Ok(AnchorSettings { authority, syslog })
}

pub(super) fn reading(raw: &RawReading) -> Result<ReadingConfig, ConfigError> {
    let limits = PoolSettings {
        workers: between("reading.workers", raw.workers, 1, 64)?,
        memory_mb: between("reading.memory_mb", raw.memory_mb, 16, 1 << 16)?,
        seconds: between("reading.seconds", raw.seconds, 1, 3600)?,
        ..PoolSettings::default()
    };
    let follow = Duration::from_millis(between("reading.follow_millis", raw.follow_millis, 20, 600_000)?);
    Ok(ReadingConfig { program: None, limits, follow })
}

pub(super) fn ways(raw: &RawInstruments) -> Result<crate::jobs::ChannelSettings, ConfigError> {
    let millis = |field: &str, value| between(field, value, 20, 600_000).map(Duration::from_millis);
    Ok(crate::jobs::ChannelSettings {
        take_in: raw.take_in,
        poll: millis("instruments.poll_millis", raw.poll_millis)?,
        settle: millis("instruments.settle_millis", raw.settle_millis)?,
        readers: between("instruments.readers", raw.readers, 1, 64)?,
        listen: raw.listen,
        connections: between("instruments.connections", raw.connections, 1, 1000)?,
        connections_per_address: between("instruments.connections_per_address", raw.connections_per_address, 1, 1000)?,
        idle: Duration::from_secs(between("instruments.idle_seconds", raw.idle_seconds, 1, 86_400)?),
        first_byte: Duration::from_secs(between("instruments.first_byte_seconds", raw.first_byte_seconds, 1, 86_400)?),
        allowance: crate::jobs::DeadLetterQuota {
            bytes: between("instruments.megabytes_per_hour", raw.megabytes_per_hour, 1, 1 << 20)? << 20,
            letters: between("instruments.letters_per_hour", raw.letters_per_hour, 1, 100_000)?,
        },
        open_letters: between("instruments.open_letters", raw.open_letters, 1, 1_000_000)?,
        message_bytes: between("instruments.message_bytes", raw.message_bytes, 1 << 10, 32 << 20)?,
    })
}
