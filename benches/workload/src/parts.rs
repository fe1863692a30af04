//! Parts measured in this process: certificates and instrument files.

use std::path::Path;
use std::time::Instant;

use instrument_adapters::{AdapterSet, Options, embedded};
use qianfa::app::config::Config;
use qianfa::app::demo::{self, DemoFiles};
use qianfa::app::serve::open_services;
use qianfa::clock::Clock;
use qianfa::documents::{
    CertificateData, OsRng, SignInfo, SigningKey, TestCa, Typesetter, attached_json, sign, verify,
};
use serde::Serialize;

/// One kind of certificate: typeset and signed again and again, each with another number.
#[derive(Serialize)]
pub struct CertificateMeasure {
    pub kind: String,
    pub bytes: usize,
    pub made: usize,
    pub per_second: f64,
    /// Processor time of one, in milliseconds, over all threads of the process.
    pub cpu_ms: Option<f64>,
}

/// One instrument file.
#[derive(Serialize)]
pub struct AdapterMeasure {
    pub adapter: String,
    pub file: String,
    pub bytes: usize,
    pub values: usize,
    /// Median time of recognising and reading it, in milliseconds.
    pub ms: f64,
}

/// Processor time of this process so far, in milliseconds, where the system tells (in steps of 10 ms).
fn cpu_ms() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name in brackets may hold spaces; user and system time are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks * 10.0)
}

/// The demonstration's three certificates, each made `count` times.
pub fn certificates(folder: &Path, count: usize) -> Result<Vec<CertificateMeasure>, String> {
    let authority = TestCa::create("测速", &mut OsRng, demo::beginning()).map_err(|error| error.to_string())?;
    let key = authority.signing_key().map_err(|error| error.to_string())?;
    let typesetter = Typesetter::new(None).map_err(|error| error.to_string())?;
    let contents = demonstrated(folder, &authority)?;
    contents.iter().map(|data| certificate(&typesetter, &key, data, count)).collect()
}

/// The content of the certificates that the demonstration issues, as attached to them.
fn demonstrated(folder: &Path, authority: &TestCa) -> Result<Vec<CertificateData>, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let config = Config::of_data(&folder.join("demo"), []).map_err(|error| told(&error))?;
    authority.write(&config.site.keys()).map_err(|error| told(&error))?;
    let clock = Clock::set_to(demo::beginning());
    let services = open_services(&config, clock.clone()).map_err(|error| told(&error))?;
    let files = DemoFiles::own().map_err(|error| told(&error))?;
    let issued = demo::run(&services, &clock, &files, &mut std::io::sink()).map_err(|error| told(&error))?;
    let content = |path: &std::path::PathBuf| {
        let pdf = std::fs::read(path).map_err(|error| told(&error))?;
        let json = attached_json(&pdf).ok_or("a certificate without its data")?;
        serde_json::from_slice(&json).map_err(|error| told(&error))
    };
    issued.iter().map(content).collect()
}

fn certificate(
    typesetter: &Typesetter,
    key: &SigningKey,
    data: &CertificateData,
    count: usize,
) -> Result<CertificateMeasure, String> {
    let at = demo::beginning();
    let info = SignInfo { reason: "授权签发".into(), location: "太原".into(), name: "郭正".into(), time: at };
    let mut data = data.clone();
    let mut make = |nth: usize| {
        // As in service: no two are alike, so nothing that the typesetter remembers of one serves the next whole.
        data.number = format!("YJ2026{nth:04}").into();
        let pdf = typesetter.render(&data, at).map_err(|error| error.to_string())?;
        sign(&pdf, key, &info).map_err(|error| error.to_string())
    };
    for nth in 0..5 {
        let pdf = make(9000 + nth)?;
        if !verify(&pdf, &[], at).intact {
            return Err("a certificate does not verify".into());
        }
    }
    let (began, cpu, mut bytes) = (Instant::now(), cpu_ms(), 0);
    for nth in 0..count {
        bytes = make(nth)?.len();
    }
    let took = began.elapsed().as_secs_f64();
    let cpu_ms = cpu.zip(cpu_ms()).map(|(before, after)| (after - before) / count as f64);
    Ok(CertificateMeasure {
        kind: data.kind.as_str().to_owned(),
        bytes,
        made: count,
        per_second: count as f64 / took,
        cpu_ms,
    })
}

/// Every sample file of every adapter, recognised and read.
pub fn adapters() -> Result<Vec<AdapterMeasure>, String> {
    let set = AdapterSet::embedded();
    let mut measures = Vec::new();
    for adapter in embedded::ADAPTERS {
        for file in adapter.samples {
            let read = || set.parse(file.name, file.bytes, None, &Options::default());
            let parsed = read().map_err(|error| format!("{}: {error}", file.name))?;
            let mut times: Vec<f64> = (0..51)
                .map(|_| {
                    let began = Instant::now();
                    let _ = std::hint::black_box(read());
                    began.elapsed().as_secs_f64() * 1e3
                })
                .collect();
            times.sort_by(f64::total_cmp);
            measures.push(AdapterMeasure {
                adapter: adapter.id.to_owned(),
                file: file.name.to_owned(),
                bytes: file.bytes.len(),
                values: parsed.observations.len(),
                ms: times[times.len() / 2],
            });
        }
    }
    Ok(measures)
}
