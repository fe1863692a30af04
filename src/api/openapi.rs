//! The description of the API, from the code: OpenAPI 3.1, with what each route asks of its caller.

use actix_web::http::Method;
use utoipa::OpenApi;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{OpenApi as Document, PathItem};

use super::{
    accounts, adapters, audit, catalogue, certificates, evaluations, figures, instruments, intake, register,
    regulation, session, testing,
};
use crate::http::permit::Requirement;
use crate::http::problem::ProblemDocument;
use crate::http::table::Table;

#[derive(OpenApi)]
#[openapi(
    info(title = "签发 Qianfa", description = "样品受理、检验、批签发与报告书。Every refusal is a problem document."),
    components(schemas(ProblemDocument))
)]
struct Base;

/// The document of everything in `table`.
#[must_use]
pub fn document(table: &Table) -> Document {
    let mut document = Base::openapi();
    for part in [
        session::Docs::openapi(),
        accounts::Docs::openapi(),
        audit::Docs::openapi(),
        regulation::Docs::openapi(),
        catalogue::Docs::openapi(),
        intake::Docs::openapi(),
        testing::Docs::openapi(),
        instruments::Docs::openapi(),
        adapters::Docs::openapi(),
        figures::Docs::openapi(),
        evaluations::Docs::openapi(),
        register::Docs::openapi(),
        certificates::Docs::openapi(),
    ] {
        document.merge(part);
    }
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::http::permit::ACCESS_COOKIE));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    for entry in table.entries() {
        let Some(described) = entry.described.map(|describe| describe(entry.path)) else { continue };
        components.schemas.extend(described.schemas);
        let item = document.paths.paths.entry(entry.path.to_owned()).or_default();
        if let Some(place) = operation_place(item, &entry.method) {
            let mut operation = described.operation;
            operation.tags = entry.path.split('/').nth(3).map(|part| vec![part.to_owned()]);
            *place = Some(operation);
        }
    }
    for entry in table.entries() {
        let Some(item) = document.paths.paths.get_mut(entry.path) else {
            continue;
        };
        let Some(operation) = operation(item, &entry.method) else {
            continue;
        };
        let extension = ExtensionsBuilder::new().add("x-permission", entry.requires.to_string()).build();
        operation.extensions.get_or_insert_default().merge(extension);
        if entry.requires != Requirement::Public {
            let either = ["bearer", "cookie"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
            operation.security = Some(either.to_vec());
        }
    }
    document
}

fn operation_place<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Option<Operation>> {
    match *method {
        Method::GET => Some(&mut item.get),
        Method::POST => Some(&mut item.post),
        Method::PUT => Some(&mut item.put),
        Method::DELETE => Some(&mut item.delete),
        Method::PATCH => Some(&mut item.patch),
        _ => None,
    }
}

/// The operation of that method.
pub fn operation<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    operation_place(item, method)?.as_mut()
}
