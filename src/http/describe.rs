//! What an action's route says of itself in the description of the API, from the action's types.

use actix_web::http::StatusCode;
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, RefOr, Required, ResponseBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::action::Action;

/// The operation of a route, and the schemas that it names.
pub struct Described {
    /// The operation.
    pub operation: Operation,
    /// Named schemas.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

/// The parameters of a path: what is written in braces.
fn parameters(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect()
}

/// Describes the route of an action.
pub(super) fn describe<A>(path: &str, status: StatusCode) -> Described
where
    A: Action + DeserializeOwned + ToSchema,
    A::Done: ToSchema,
{
    let mut schemas = Vec::new();
    A::schemas(&mut schemas);
    let named = parameters(path);
    let mut operation = OperationBuilder::new().operation_id(Some(A::NAME));
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
        ("Idempotency-Key", "A repeat with this key is done once"),
        ("If-Match", "The revision that the caller has seen; a stale one is refused with what changed"),
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
    if let Some(body) = without(A::schema(), &named) {
        let content = ContentBuilder::new().schema(Some(body)).build();
        operation = operation.request_body(Some(
            RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build(),
        ));
    }
    let mut response = ResponseBuilder::new().description(A::NAME);
    if status != StatusCode::NO_CONTENT {
        A::Done::schemas(&mut schemas);
        schemas.push((A::Done::name().into_owned(), A::Done::schema()));
        let of_done = utoipa::openapi::Ref::from_schema_name(A::Done::name());
        response = response.content("application/json", ContentBuilder::new().schema(Some(of_done)).build());
    }
    operation = operation.response(status.as_str(), response.build());
    Described { operation: operation.build(), schemas }
}

/// The schema of a body without the fields that the address says; `None` where nothing is left.
fn without(schema: RefOr<Schema>, named: &[&str]) -> Option<RefOr<Schema>> {
    let RefOr::T(Schema::Object(mut object)) = schema else { return Some(schema) };
    for name in named {
        object.properties.remove(*name);
    }
    object.required.retain(|name| !named.contains(&name.as_str()));
    if object.properties.is_empty() { None } else { Some(RefOr::T(Schema::Object(object))) }
}
