//! `/api/v1`: certificates, and their public verification.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Path, Payload, Query};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::action::Services;
use crate::certificates::{
    self, DiscardCertificate, DraftCertificate, Examined, PublicStatus, ReviewCertificate, ReviewProtocol,
    SignCertificate, WithdrawCertificate,
};
use crate::documents::Trust;
use crate::http::body::collect;
use crate::http::permit::permission::{CertificateRead, OwnCertificateRead};
use crate::http::permit::{Permit, Public};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, json, pdf, run};
use crate::http::stranger::{LARGEST, examined};
use crate::http::table::Table;
use crate::store::columns::CertificateId;
use crate::store::views::keyset::Part;
use crate::store::views::{self, CertificateFilter, CertificateListRow, CertificateView};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/certificates", list)
        .makes::<ReviewProtocol>(Method::POST, "/api/v1/samples/{id}/protocol-review")
        .makes::<DraftCertificate>(Method::POST, "/api/v1/certificates")
        .get("/api/v1/certificates/{id}", show)
        .get("/api/v1/certificates/{id}/pdf", file)
        .get("/api/v1/certificates/{id}/internal-copy", internal_copy)
        .does::<ReviewCertificate>(Method::POST, "/api/v1/certificates/{id}/review")
        .does::<SignCertificate>(Method::POST, "/api/v1/certificates/{id}/sign")
        .does::<DiscardCertificate>(Method::POST, "/api/v1/certificates/{id}/discard")
        .does::<WithdrawCertificate>(Method::POST, "/api/v1/certificates/{id}/withdraw")
        .get("/api/v1/my/certificates", own_list)
        .get("/api/v1/my/certificates/{id}/pdf", own_file)
        .get("/api/v1/verify/{code}", by_code)
        .post("/api/v1/verify", by_file)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, show, file, internal_copy, own_list, own_file, by_code, by_file))]
pub struct Docs;

/// What is known of a file.
#[derive(Serialize, ToSchema)]
pub struct FileStatus {
    /// The certificate that was issued as exactly this file, if any
    certificate: Option<PublicStatus>,
    /// The file is as it was signed, by whomever: anybody can sign with a key of one's own. Only `certificate` says
    /// that it was issued here
    unchanged: bool,
    /// Whether the signer is trusted by the institute's roots; null where that cannot be said
    trusted: Option<bool>,
    signer: Option<String>,
    signed_at: Option<String>,
    /// The number that the file's own data names
    number: Option<String>,
    sha256: String,
    problems: Vec<String>,
}

#[utoipa::path(get, path = "/api/v1/certificates", tag = "certificates", params(CertificateFilter),
    responses((status = 200, body = Part<CertificateListRow>, description = "证书 certificates, newest first")))]
async fn list(
    gate: Permit<CertificateRead>,
    services: Data<Services>,
    filter: Query<CertificateFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::certificates(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/certificates/{id}", tag = "certificates", params(("id" = String, Path)),
    responses((status = 200, body = CertificateView), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<CertificateRead>,
    services: Data<Services>,
    id: Path<CertificateId>,
) -> Result<HttpResponse, Problem> {
    answer(move || certificates::show(&services, &gate.actor, &id)).await
}

#[utoipa::path(get, path = "/api/v1/certificates/{id}/pdf", tag = "certificates", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/pdf", description = "As issued; before that, a preview marked as a draft"),
              (status = 404, body = ProblemDocument)))]
async fn file(
    gate: Permit<CertificateRead>,
    services: Data<Services>,
    id: Path<CertificateId>,
) -> Result<HttpResponse, Problem> {
    Ok(pdf(run(move || certificates::preview(&services, &gate.actor, &id)).await?))
}

#[utoipa::path(get, path = "/api/v1/certificates/{id}/internal-copy", tag = "certificates", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/pdf", description = "内部存档件 the laboratory's own copy, with the rules under which the case ran; not signed"),
              (status = 404, body = ProblemDocument)))]
async fn internal_copy(
    gate: Permit<CertificateRead>,
    services: Data<Services>,
    id: Path<CertificateId>,
) -> Result<HttpResponse, Problem> {
    Ok(pdf(run(move || certificates::internal_copy(&services, &gate.actor, &id)).await?))
}

#[utoipa::path(get, path = "/api/v1/my/certificates", tag = "applicant", params(CertificateFilter),
    responses((status = 200, body = Part<CertificateListRow>,
        description = "本单位的证书 the applicant's own issued certificates")))]
async fn own_list(
    gate: Permit<OwnCertificateRead>,
    services: Data<Services>,
    filter: Query<CertificateFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::certificates(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/my/certificates/{id}/pdf", tag = "applicant", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/pdf"), (status = 404, body = ProblemDocument)))]
async fn own_file(
    gate: Permit<OwnCertificateRead>,
    services: Data<Services>,
    id: Path<CertificateId>,
) -> Result<HttpResponse, Problem> {
    Ok(pdf(run(move || certificates::own_file(&services, &gate.actor, &id)).await?))
}

#[utoipa::path(get, path = "/api/v1/verify/{code}", tag = "verification", params(("code" = String, Path)),
    responses((status = 200, body = PublicStatus), (status = 404, body = ProblemDocument)))]
async fn by_code(_: Public, services: Data<Services>, code: Path<String>) -> Result<HttpResponse, Problem> {
    answer(move || certificates::by_code(&services, &code, None)).await
}

#[utoipa::path(post, path = "/api/v1/verify", tag = "verification",
    request_body(content = Vec<u8>, content_type = "application/pdf", description = "The PDF itself"),
    responses((status = 200, body = FileStatus), (status = 413, body = ProblemDocument),
        (status = 503, body = ProblemDocument)))]
async fn by_file(_: Public, services: Data<Services>, payload: Payload) -> Result<HttpResponse, Problem> {
    let body = async { Ok(collect(Ok(payload), LARGEST).await?.to_vec()) };
    let found = examined(&services, None, body).await?;
    let unchanged = found.is_unchanged();
    let Examined { certificate, report } = found;
    Ok(json(
        StatusCode::OK,
        &FileStatus {
            certificate,
            unchanged,
            trusted: match report.trusted {
                Trust::Trusted => Some(true),
                Trust::Untrusted => Some(false),
                Trust::Unknown => None,
            },
            signer: report.signer_name,
            signed_at: report.signed_at.map(|at| at.to_rfc3339()),
            number: report.certificate_number,
            sha256: report.sha256,
            problems: report.problems,
        },
    ))
}
