//! Data to a typeset PDF/A-3 with its data attached.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Datelike, FixedOffset, Timelike, Utc};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use typst::diag::{FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Dict, Duration, IntoValue, Smart};
use typst::syntax::{FileId, Source};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use super::data::CertificateData;
use super::fonts;
use super::templates::{TemplateError, Templates, file_id};

/// Statutory dates are dates of Shanghai: UTC+8, without summer time since 1991.
const SHANGHAI_SECONDS: i32 = 8 * 3600;

/// Why a document was not made. Nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Fields that this document must carry are empty.
    #[error("empty: {}", .0.join(", "))]
    MissingFields(Vec<&'static str>),
    /// The data contradict themselves.
    #[error("{}", .0.join("; "))]
    Contradiction(Vec<String>),
    /// The verification address does not fit into a QR code.
    #[error("verification.url is too long for a QR code: {0}")]
    Qr(qrcode::types::QrError),
    /// The layout failed, or the document does not conform to PDF/A-3.
    #[error("layout {kind}: {message}")]
    Layout {
        /// Which layout.
        kind: &'static str,
        /// What the typesetter says, with file and line where known.
        message: String,
    },
    /// The data cannot be written as JSON, or the creation time is not a calendar date.
    #[error("{0}")]
    Data(String),
}

/// Sets documents. Cheap to clone; `render` takes 20 to 30 ms of CPU and belongs on a bounded
/// pool of as many threads as there are cores, never on the threads that answer HTTP.
#[derive(Clone)]
pub struct Typesetter(Arc<Shared>);

struct Shared {
    library: LazyHash<Library>,
    templates: Templates,
    ids: Ids,
}

struct Ids {
    data: FileId,
    qr: FileId,
}

impl Typesetter {
    /// With the shipped layouts, or with those of `templates_dir` in their place, file by file.
    /// The folder is read once; a changed layout takes effect with the next start.
    pub fn new(templates_dir: Option<&Path>) -> Result<Self, TemplateError> {
        let templates = Templates::load(templates_dir)?;
        let mut inputs = Dict::new();
        inputs.insert("seal".into(), templates.seal().unwrap_or_default().into_value());
        let id = |name: &str| file_id(name).ok_or_else(|| TemplateError::Name(name.into()));
        Ok(Self(Arc::new(Shared {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            templates,
            ids: Ids { data: id("data.json")?, qr: id("qr.svg")? },
        })))
    }

    /// Sets one document as PDF/A-3 with `data` attached as `data.json`. The same data and
    /// `created` give the same bytes.
    pub fn render(&self, data: &CertificateData, created: DateTime<Utc>) -> Result<Vec<u8>, RenderError> {
        let set = self.set(data, created)?;
        if !set.warnings.is_empty() {
            let kind = data.kind.as_str();
            tracing::warn!(kind, warnings = %set.warnings, "certificate layout");
        }
        Ok(set.pdf)
    }

    /// [`Self::render`], with what the typesetter warned of.
    pub(super) fn set(&self, data: &CertificateData, created: DateTime<Utc>) -> Result<Set, RenderError> {
        check(data)?;
        let job = Job::new(&self.0, data, created)?;
        let result = job.run(data);
        // Also after an error: what the typesetter remembers of this document must not pile up.
        comemo::evict(1);
        result
    }
}

fn check(data: &CertificateData) -> Result<(), RenderError> {
    let missing = data.missing_fields();
    if !missing.is_empty() {
        return Err(RenderError::MissingFields(missing));
    }
    let contradictions = data.contradictions();
    if !contradictions.is_empty() {
        return Err(RenderError::Contradiction(contradictions));
    }
    Ok(())
}

/// A document, and what the typesetter warned of: nothing, with the shipped layouts.
pub(super) struct Set {
    pub(super) pdf: Vec<u8>,
    pub(super) warnings: String,
}

/// One document on its way.
struct Job<'a> {
    shared: &'a Shared,
    main: FileId,
    data: Bytes,
    qr: Bytes,
    created: Datetime,
}

impl<'a> Job<'a> {
    fn new(shared: &'a Shared, data: &CertificateData, created: DateTime<Utc>) -> Result<Self, RenderError> {
        let json = serde_json::to_vec_pretty(data).map_err(|e| RenderError::Data(e.to_string()))?;
        let main = file_id(&format!("{}.typ", data.kind.as_str()))
            .ok_or_else(|| RenderError::Data("no layout of this name".to_owned()))?;
        Ok(Self {
            shared,
            main,
            data: Bytes::new(json),
            qr: Bytes::from_string(qr_svg(&data.verification.url)?),
            created: datetime(created).ok_or_else(|| RenderError::Data(format!("creation time {created}")))?,
        })
    }

    fn run(&self, data: &CertificateData) -> Result<Set, RenderError> {
        let kind = data.kind.as_str();
        let failed =
            |diagnostics: &[SourceDiagnostic]| RenderError::Layout { kind, message: self.describe(diagnostics) };
        let compiled = typst::compile::<PagedDocument>(self);
        let document = compiled.output.map_err(|e| failed(&e))?;
        let standards = PdfStandards::new(&[PdfStandard::A_3a])
            .map_err(|e| RenderError::Layout { kind, message: e.message().to_string() })?;
        let options = PdfOptions {
            ident: Smart::Custom(format!("{kind}:{}", data.number)),
            creator: Smart::Custom(Some("qianfa".to_owned())),
            timestamp: Timestamp::new_local(self.created, SHANGHAI_SECONDS / 60),
            standards,
            ..PdfOptions::default()
        };
        Ok(Set {
            pdf: typst_pdf::pdf(&document, &options).map_err(|e| failed(&e))?,
            warnings: self.describe(&compiled.warnings),
        })
    }

    fn describe(&self, diagnostics: &[SourceDiagnostic]) -> String {
        let lines: Vec<String> = diagnostics.iter().map(|d| self.describe_one(d)).collect();
        lines.join("; ")
    }

    fn describe_one(&self, diagnostic: &SourceDiagnostic) -> String {
        let place = diagnostic.span.id().and_then(|id| {
            let source = self.source(id).ok()?;
            let range = self.range(diagnostic.span)?;
            let line = source.lines().byte_to_line(range.start)? + 1;
            let file = id.get().vpath().get_without_slash();
            Some(format!("{file} line {line}: "))
        });
        let mut text = place.unwrap_or_default();
        text.push_str(&diagnostic.message);
        for hint in &diagnostic.hints {
            text.push_str(" (");
            text.push_str(&hint.v);
            text.push(')');
        }
        text
    }
}

fn datetime(created: DateTime<Utc>) -> Option<Datetime> {
    let local = created.with_timezone(&FixedOffset::east_opt(SHANGHAI_SECONDS)?);
    let small = |n: u32| u8::try_from(n).ok();
    Datetime::from_ymd_hms(
        local.year(),
        small(local.month())?,
        small(local.day())?,
        small(local.hour())?,
        small(local.minute())?,
        small(local.second())?,
    )
}

fn qr_svg(url: &str) -> Result<String, RenderError> {
    let code = QrCode::with_error_correction_level(url, EcLevel::M).map_err(RenderError::Qr)?;
    Ok(code.render::<svg::Color>().quiet_zone(true).module_dimensions(4, 4).build())
}

impl World for Job<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.shared.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        fonts::book()
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.shared.templates.source(id)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.shared.ids.data {
            Ok(self.data.clone())
        } else if id == self.shared.ids.qr {
            Ok(self.qr.clone())
        } else {
            self.shared.templates.file(id)
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        fonts::font(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        // The layouts' only clock is the time of creation.
        Datetime::from_ymd(self.created.year()?, self.created.month()?, self.created.day()?)
    }
}
