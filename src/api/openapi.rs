//! The description of the API, from the code: OpenAPI 3.1, with what each route asks of its caller.
//!
//! A handler says what only it knows: parameters, body, and the answer when all goes well. What follows from its route,
//! its gate and its parameters is added here for all of them alike: the operation's id, the credentials, and the
//! refusals with their problem document.

use actix_web::http::Method;
use utoipa::OpenApi;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, ObjectBuilder, OpenApi as Document, PathItem, Ref, RefOr, Response, ResponseBuilder};

use super::{
    accounts, adapters, audit, catalogue, certificates, corrections, evaluations, figures, instruments, intake,
    keeping, register, regulation, session, testing,
};
use crate::http::cookies::CSRF_HEADER;
use crate::http::permit::Requirement;
use crate::http::problem::{self, ProblemDocument};
use crate::http::table::{RouteEntry, Table};

#[derive(OpenApi)]
#[openapi(
    info(title = "签发 Qianfa", description = "样品受理、检验、批签发与报告书。Every refusal is a problem document."),
    components(schemas(ProblemDocument))
)]
struct Base;

/// What each status means, in Chinese and English. The last is for every status that an operation does not name.
const STATUSES: &[(&str, &str)] = &[
    ("200", "成功 Done"),
    ("201", "已创建 Made"),
    ("204", "成功，无内容 Done; there is no content"),
    ("400", "请求无法读取 The request cannot be read"),
    ("401", "未登录，或会话、密码无效 Not logged in, or the session or the password is not valid"),
    ("403", "没有权限 Not permitted"),
    ("404", "未找到 Not found"),
    ("409", "与现有记录或当前状态冲突 It conflicts with what is recorded, or the state does not allow it"),
    ("413", "内容过大 The content is too large"),
    ("415", "不支持的内容类型 The content type is not supported"),
    ("422", "内容不符合要求 The content is not as expected"),
    ("423", "账户已锁定 The account is locked"),
    ("429", "请求过于频繁，请稍后再试 Too many attempts: try again later"),
    ("503", "系统繁忙或存储不可用，请重试 Busy, or the storage is not at hand: try again"),
    ("default", "其他拒绝或错误 Any other refusal or error"),
];

/// The document of everything in `table`.
#[must_use]
pub fn document(table: &Table) -> Document {
    let mut document = Base::openapi();
    for part in parts() {
        document.merge(part);
    }
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::http::jar::ACCESS_COOKIE));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    let csrf = ApiKey::Header(ApiKeyValue::with_description(
        CSRF_HEADER,
        "与Cookie同用：登录时取得的CSRF令牌 With the cookie: the CSRF token that logging in gave",
    ));
    components.add_security_scheme("csrf", SecurityScheme::ApiKey(csrf));
    for (status, meaning) in STATUSES.iter().filter(|(status, _)| is_refusal(status)) {
        components.responses.insert(refusal_name(status), refusal(meaning).into());
    }
    for entry in table.entries() {
        let Some(described) = entry.described.map(|describe| describe(entry.path)) else { continue };
        components.schemas.extend(described.schemas);
        let item = document.paths.paths.entry(entry.path.to_owned()).or_default();
        if let Some(place) = place_of(item, &entry.method) {
            let mut operation = described.operation;
            operation.tags = Some(vec![tag(entry.path).to_owned()]);
            *place = Some(operation);
        }
    }
    for entry in table.entries() {
        let item = document.paths.paths.get_mut(entry.path);
        if let Some(operation) = item.and_then(|item| operation(item, &entry.method)) {
            complete(operation, entry);
        }
    }
    document
}

fn parts() -> [Document; 15] {
    [
        session::Docs::openapi(),
        accounts::Docs::openapi(),
        audit::Docs::openapi(),
        regulation::Docs::openapi(),
        catalogue::Docs::openapi(),
        intake::Docs::openapi(),
        keeping::Docs::openapi(),
        testing::Docs::openapi(),
        instruments::Docs::openapi(),
        adapters::Docs::openapi(),
        figures::Docs::openapi(),
        evaluations::Docs::openapi(),
        register::Docs::openapi(),
        certificates::Docs::openapi(),
        corrections::Docs::openapi(),
    ]
}

fn place_of<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Option<Operation>> {
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
    place_of(item, method)?.as_mut()
}

/// Adds to an operation what follows from its route, its gate and its parameters.
fn complete(operation: &mut Operation, entry: &RouteEntry) {
    operation.operation_id = Some(operation_id(&entry.method, entry.path));
    let extension = ExtensionsBuilder::new().add("x-permission", entry.requires.to_string()).build();
    operation.extensions.get_or_insert_default().merge(extension);
    if entry.requires != Requirement::Public {
        operation.security = Some(credentials(&entry.method));
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for (media, content) in &mut body.content {
            unread(media, content);
        }
    }
    for status in refusals(operation, entry) {
        let of_all = || Ref::from_response_name(refusal_name(status)).into();
        operation.responses.responses.entry(status.to_owned()).or_insert_with(of_all);
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(told) = response else { continue };
        if is_refusal(status) && told.description.is_empty() {
            *response = Ref::from_response_name(refusal_name(status)).into();
            continue;
        }
        if told.description.is_empty() {
            told.description = meaning(status).to_owned();
        }
        if is_refusal(status) {
            told.content = refusal(&told.description).content;
        }
        for (media, content) in &mut told.content {
            unread(media, content);
        }
    }
}

/// The id of an operation: its method and its path in words, so that it stays as long as the route does.
/// `GET /api/v1/accounts/{id}` is `get_accounts_by_id`.
fn operation_id(method: &Method, path: &str) -> String {
    let mut words = vec![method.as_str().to_ascii_lowercase()];
    for part in path.trim_start_matches("/api/v1").split('/').filter(|part| !part.is_empty()) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None => words.push(part.replace(['-', '.'], "_")),
            Some(name) => {
                let by = format!("by_{name}");
                // `…/by-code/{code}` says it already.
                if words.last() != Some(&by) {
                    words.push(by);
                }
            }
        }
    }
    words.join("_")
}

/// The part of the laboratory that a route belongs to, from what its path begins with.
fn tag(path: &str) -> &str {
    match path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default() {
        "my" => "applicant",
        "applications" => "intake",
        "samples" | "retention" | "keeping-requests" | "handovers" => "custody",
        "tasks" | "worksheets" | "results" => "testing",
        "institutes" | "applicants" | "products" | "specifications" | "authorisations" => "catalogue",
        "instrument-files" | "run-lists" | "dead-letters" => "instruments",
        "reference-standards" => "evaluations",
        own => own,
    }
}

/// A token in the header; or a cookie, which where something is changed takes the token against forged requests.
fn credentials(method: &Method) -> Vec<SecurityRequirement> {
    let none = Vec::<String>::new;
    let cookie = SecurityRequirement::new("cookie", none());
    let cookie = if *method == Method::GET { cookie } else { cookie.add("csrf", none()) };
    vec![SecurityRequirement::new("bearer", none()), cookie]
}

/// The refusals that a route may answer with, whatever its handler does.
fn refusals(operation: &Operation, entry: &RouteEntry) -> Vec<&'static str> {
    let mut found = vec!["default"];
    if entry.requires != Requirement::Public {
        found.extend(["401", "403"]);
    }
    let places: Vec<&ParameterIn> = operation.parameters.iter().flatten().filter_map(place).collect();
    if places.contains(&&ParameterIn::Path) {
        found.push("404");
    }
    if places.contains(&&ParameterIn::Query) {
        found.push("400");
    }
    if operation.request_body.is_some() {
        found.extend(["400", "413", "415", "422"]);
    }
    found
}

fn place(parameter: &RefOr<Parameter>) -> Option<&ParameterIn> {
    match parameter {
        RefOr::T(parameter) => Some(&parameter.parameter_in),
        RefOr::Ref(_) => None,
    }
}

fn meaning(status: &str) -> &'static str {
    let named = STATUSES.iter().find(|(one, _)| *one == status);
    named.or(STATUSES.last()).map_or("", |(_, said)| said)
}

fn is_refusal(status: &str) -> bool {
    status.starts_with(['4', '5', 'd'])
}

/// Its name among the responses that operations share.
fn refusal_name(status: &str) -> String {
    format!("Refused_{status}")
}

fn refusal(description: &str) -> Response {
    let document = Content::new(Some(Ref::from_schema_name("ProblemDocument")));
    ResponseBuilder::new().description(description).content(problem::CONTENT_TYPE, document).build()
}

/// The schema of what is not JSON: text where it is text, else bytes.
fn unread(media: &str, content: &mut RefOr<Content>) {
    let RefOr::T(content) = content else { return };
    if media.ends_with("json") || media.starts_with("multipart/") {
        return;
    }
    let text = media.starts_with("text/") || media.ends_with("+xml");
    let format = (!text).then_some(SchemaFormat::KnownFormat(KnownFormat::Binary));
    let schema = ObjectBuilder::new().schema_type(Type::String).format(format).build();
    content.schema = Some(RefOr::T(Schema::Object(schema)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_called_by_its_method_and_its_path() {
        let id = |method, path| operation_id(&method, path);
        assert_eq!(id(Method::GET, "/api/v1/accounts"), "get_accounts");
        assert_eq!(id(Method::PUT, "/api/v1/accounts/{id}/roles"), "put_accounts_by_id_roles");
        assert_eq!(id(Method::GET, "/api/v1/samples/by-code/{code}"), "get_samples_by_code");
        assert_eq!(
            id(Method::GET, "/api/v1/instrument-files/{id}/plots/{name}"),
            "get_instrument_files_by_id_plots_by_name"
        );
    }

    #[test]
    fn a_route_stands_with_the_part_of_the_laboratory_that_it_belongs_to() {
        assert_eq!(tag("/api/v1/my/applications/{id}/withdraw"), "applicant");
        assert_eq!(tag("/api/v1/samples/{id}/custody"), "custody");
        assert_eq!(tag("/api/v1/certificates/{id}/sign"), "certificates");
    }

    #[test]
    fn a_status_without_a_text_of_its_own_has_the_general_one() {
        assert_eq!(meaning("204"), "成功，无内容 Done; there is no content");
        assert_eq!(meaning("418"), meaning("default"));
    }
}
