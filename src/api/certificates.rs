//! `/api/v1`: certificates, and their public verification.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Payload, Query};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::intake::institute;
use crate::action::Services;
use crate::certificates::{self, CertificateView, Draft, PublicStatus};
use crate::documents::verify;
use crate::http::body::{Body, collect};
use crate::http::permit::permission::{
    CertificateDiscard, CertificateDraft, CertificateRead, CertificateReview, CertificateSign, CertificateWithdraw,
    OwnCertificateRead,
};
use crate::http::permit::{Permit, Public};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created, pdf, run};
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::blobs::sha256_hex;
use crate::store::columns::CertificateId;
use crate::store::views::{self, CertificateFilter, CertificateListRow, Listed};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/certificates", list)
        .post("/api/v1/certificates", draft)
        .get("/api/v1/certificates/{id}", show)
        .get("/api/v1/certificates/{id}/pdf", file)
        .post("/api/v1/certificates/{id}/review", review)
        .post("/api/v1/certificates/{id}/sign", sign)
        .post("/api/v1/certificates/{id}/discard", discard)
        .post("/api/v1/certificates/{id}/withdraw", withdraw)
        .get("/api/v1/my/certificates", own_list)
        .get("/api/v1/my/certificates/{id}/pdf", own_file)
        .get("/api/v1/verify/{code}", by_code)
        .post("/api/v1/verify", by_file)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, draft, show, file, review, sign, discard, withdraw, own_list, own_file, by_code, by_file))]
pub struct Docs;

/// The signatory's password, given again, and what the signature stands for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    #[schema(format = Password)]
    password: String,
    /// e.g. `授权签发`
    #[schema(example = "授权签发")]
    meaning: String,
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    pub(super) reason: String,
}

/// What is known of a file.
#[derive(Serialize, ToSchema)]
pub struct FileStatus {
    /// The certificate that was issued as exactly this file, if any
    certificate: Option<PublicStatus>,
    /// The signature is intact and covers the whole file
    unchanged: bool,
    signer: Option<String>,
    signed_at: Option<String>,
    /// The number that the file's own data names
    number: Option<String>,
    sha256: String,
    problems: Vec<String>,
}

#[utoipa::path(get, path = "/api/v1/certificates", tag = "certificates", params(CertificateFilter),
    responses((status = 200, body = Listed<CertificateListRow>, description = "证书 certificates, newest first")))]
async fn list(
    gate: Permit<CertificateRead>,
    services: Data<Services>,
    filter: Query<CertificateFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        services.db.read(|conn| views::certificates(conn, Some(&institute), None, &filter))
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/certificates", tag = "certificates", request_body = Draft,
    responses((status = 201, body = CertificateView), (status = 409, body = ProblemDocument)))]
async fn draft(
    gate: Permit<CertificateDraft>,
    services: Data<Services>,
    body: Body<Draft>,
) -> Result<HttpResponse, Problem> {
    created(move || certificates::draft(&services, &gate.actor, &body.value)).await
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

#[utoipa::path(post, path = "/api/v1/certificates/{id}/review", tag = "certificates", params(("id" = String, Path)),
    responses((status = 200, body = CertificateView, description = "Reviewed and numbered"), (status = 422, body = ProblemDocument)))]
async fn review(
    gate: Permit<CertificateReview>,
    services: Data<Services>,
    id: Path<CertificateId>,
) -> Result<HttpResponse, Problem> {
    answer(move || certificates::review(&services, &gate.actor, &id)).await
}

#[utoipa::path(post, path = "/api/v1/certificates/{id}/sign", tag = "certificates", params(("id" = String, Path)),
    request_body = Sign,
    responses((status = 200, body = CertificateView, description = "Issued"), (status = 401, body = ProblemDocument)))]
async fn sign(
    gate: Permit<CertificateSign>,
    services: Data<Services>,
    id: Path<CertificateId>,
    body: Body<Sign>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let proof = services.identity.reauthenticate(&gate.actor, &body.value.password)?;
        certificates::issue(&services, &gate.actor, proof, &id, &body.value.meaning)
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/certificates/{id}/discard", tag = "certificates", params(("id" = String, Path)),
    request_body = Because, responses((status = 200, body = CertificateView), (status = 409, body = ProblemDocument)))]
async fn discard(
    gate: Permit<CertificateDiscard>,
    services: Data<Services>,
    id: Path<CertificateId>,
    body: Body<Because>,
) -> Result<HttpResponse, Problem> {
    answer(move || certificates::discard(&services, &gate.actor, &id, &body.value.reason)).await
}

#[utoipa::path(post, path = "/api/v1/certificates/{id}/withdraw", tag = "certificates", params(("id" = String, Path)),
    request_body = Because, responses((status = 200, body = CertificateView), (status = 409, body = ProblemDocument)))]
async fn withdraw(
    gate: Permit<CertificateWithdraw>,
    services: Data<Services>,
    id: Path<CertificateId>,
    body: Body<Because>,
) -> Result<HttpResponse, Problem> {
    answer(move || certificates::withdraw(&services, &gate.actor, &id, &body.value.reason)).await
}

#[utoipa::path(get, path = "/api/v1/my/certificates", tag = "applicant", params(CertificateFilter),
    responses((status = 200, body = Listed<CertificateListRow>, description = "本单位的证书 the applicant's own issued certificates")))]
async fn own_list(
    gate: Permit<OwnCertificateRead>,
    services: Data<Services>,
    filter: Query<CertificateFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(|conn| views::certificates(conn, None, gate.actor.applicant.as_ref(), &filter)))
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
    responses((status = 200, body = FileStatus), (status = 413, body = ProblemDocument)))]
async fn by_file(_: Public, services: Data<Services>, payload: Payload) -> Result<HttpResponse, Problem> {
    let bytes = collect(Ok(payload), services.site.upload_bytes).await?;
    if bytes.is_empty() {
        return Err(Refusal::field("file", "文件为空", "the file is empty").into());
    }
    answer(move || {
        let report = verify(&bytes, &services.roots, services.clock.now());
        let sha256 = sha256_hex(&bytes);
        Ok(FileStatus {
            certificate: certificates::by_file(&services, &sha256)?,
            unchanged: report.is_unchanged(),
            signer: report.signer_name,
            signed_at: report.signed_at.map(|at| at.to_rfc3339()),
            number: report.certificate_number,
            sha256,
            problems: report.problems,
        })
    })
    .await
}
