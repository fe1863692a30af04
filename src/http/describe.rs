//! What an action's route says of itself in the description of the API, from the action's types.

use actix_web::http::StatusCode;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder, Schema};

use crate::action::Action;

/// Schemas with their names.
type Schemas = Vec<(String, RefOr<Schema>)>;

/// The operation of a route, and the schemas that it names.
pub struct Described {
    /// The operation.
    pub operation: Operation,
    /// Named schemas.
    pub schemas: Schemas,
}

/// The parameters of a path: what is written in braces.
fn parameters(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect()
}

/// Describes the route of an action. Its id, its tag, and what each status means are added for all routes alike.
pub(super) fn describe<A>(path: &str, status: StatusCode) -> Described
where
    A: Action + DeserializeOwned + ToSchema,
    A::Done: ToSchema,
{
    let mut schemas = Vec::new();
    let named = parameters(path);
    let mut operation = OperationBuilder::new().summary(Some(A::NAME)).description(said(&A::schema()));
    for name in &named {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(*name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(ObjectBuilder::new().schema_type(Type::String))),
        );
    }
    for (name, says) in [
        ("Idempotency-Key", "同一键的重复请求只执行一次 A repeat with this key is done once"),
        (
            "If-Match",
            "调用者所见的版次；已过时则拒绝，并说明有何变化 The revision that the caller has seen; a stale one is refused with \
             what changed",
        ),
    ] {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(says))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String))),
        );
    }
    if let Some((body, required)) = body::<A>(&named, &mut schemas) {
        let content = ContentBuilder::new().schema(Some(body)).build();
        operation = operation.request_body(Some(
            RequestBodyBuilder::new().content("application/json", content).required(Some(required)).build(),
        ));
    }
    let mut response = ResponseBuilder::new();
    if status != StatusCode::NO_CONTENT {
        let done = answer::<A::Done>(&mut schemas);
        response = response.content("application/json", ContentBuilder::new().schema(Some(done)).build());
    }
    operation = operation.response(status.as_str(), response.build());
    Described { operation: operation.build(), schemas }
}

/// What a schema says of itself.
fn said(schema: &RefOr<Schema>) -> Option<String> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.description.clone(),
        RefOr::Ref(other) => Some(other.description.clone()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// The body of an action: its input without the fields that the address says, and whether it may be left out. `None`
/// where nothing is left. It goes by the input's name, since a client's types are called by the names of the document.
fn body<A: ToSchema>(named: &[&str], schemas: &mut Schemas) -> Option<(RefOr<Schema>, Required)> {
    A::schemas(schemas);
    // An input that is nothing but another type goes by the name of that one.
    let RefOr::T(Schema::Object(mut object)) = A::schema() else { return Some((A::schema(), Required::True)) };
    for name in named {
        object.properties.remove(*name);
    }
    object.required.retain(|name| !named.contains(&name.as_str()));
    if object.properties.is_empty() {
        return None;
    }
    let required = if object.required.is_empty() { Required::False } else { Required::True };
    schemas.push((A::name().into_owned(), RefOr::T(Schema::Object(object))));
    Some((Ref::from_schema_name(A::name()).into(), required))
}

/// What is answered, by its name. A list is described where it is answered: clients have no type for the list itself.
fn answer<Done: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    Done::schemas(schemas);
    match Done::schema() {
        plain @ (RefOr::Ref(_) | RefOr::T(Schema::Array(_))) => plain,
        named @ RefOr::T(_) => {
            schemas.push((Done::name().into_owned(), named));
            Ref::from_schema_name(Done::name()).into()
        }
    }
}
