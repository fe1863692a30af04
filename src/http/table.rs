//! The table of routes: what the server serves, and what each route asks of its caller.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, FromRequest, Handler, HttpRequest, HttpResponse, Responder, ResponseError, Route, web};

use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::command::{acted, created, ended};
use super::describe::{Described, describe};
use super::permit::{Gate, Requirement, authenticate};
use super::problem::respond;
use crate::action::Action;
use crate::refusal::{Code, Refusal};

/// Parameters of a handler, of which the first is its gate.
pub trait Guarded {
    /// What the gate asks for.
    const REQUIRES: Requirement;
}

macro_rules! guarded {
    ($($other:ident)*) => {
        impl<First: Gate, $($other),*> Guarded for (First, $($other,)*) {
            const REQUIRES: Requirement = First::REQUIRES;
        }
    };
}

guarded!();
guarded!(A);
guarded!(A B);
guarded!(A B C);
guarded!(A B C D);
guarded!(A B C D E);
guarded!(A B C D E F);
guarded!(A B C D E F G);

/// One route.
#[derive(Clone)]
pub struct RouteEntry {
    /// The method.
    pub method: Method,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// What it asks for, from the handler's signature.
    pub requires: Requirement,
    /// What it says of itself, where it is one action.
    pub described: Option<fn(&str) -> Described>,
    make: Arc<dyn Fn() -> Route + Send + Sync>,
}

/// The routes in the order in which they were added.
#[derive(Clone, Default)]
pub struct Table(Vec<RouteEntry>);

impl Table {
    /// Adds a handler, whose first parameter must be a [`Gate`].
    #[must_use]
    pub fn on<F, Args>(mut self, method: Method, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        let verb = method.clone();
        let make = move || {
            let gate = from_fn(|req, next| guard(Args::REQUIRES, req, next));
            web::method(verb.clone()).to(handler.clone()).wrap(gate)
        };
        self.0.push(RouteEntry { method, path, requires: Args::REQUIRES, described: None, make: Arc::new(make) });
        self
    }

    /// `GET`
    #[must_use]
    pub fn get<F, Args>(self, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::GET, path, handler)
    }

    /// `POST`
    #[must_use]
    pub fn post<F, Args>(self, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::POST, path, handler)
    }

    /// `PUT`
    #[must_use]
    pub fn put<F, Args>(self, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::PUT, path, handler)
    }

    /// `DELETE`
    #[must_use]
    pub fn delete<F, Args>(self, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::DELETE, path, handler)
    }

    /// A route that is one action, with its input from the address and the body: answers 200 with what was done.
    #[must_use]
    pub fn does<A>(self, method: Method, path: &'static str) -> Self
    where
        A: Action + DeserializeOwned + ToSchema,
        A::Done: ToSchema,
    {
        self.on(method, path, acted::<A>).says(|path| describe::<A>(path, StatusCode::OK))
    }

    /// As [`Table::does`], for an action that makes something: 201.
    #[must_use]
    pub fn makes<A>(self, method: Method, path: &'static str) -> Self
    where
        A: Action + DeserializeOwned + ToSchema,
        A::Done: ToSchema,
    {
        self.on(method, path, created::<A>).says(|path| describe::<A>(path, StatusCode::CREATED))
    }

    /// As [`Table::does`], for an action that answers nothing: 204.
    #[must_use]
    pub fn ends<A>(self, method: Method, path: &'static str) -> Self
    where
        A: Action<Done = ()> + DeserializeOwned + ToSchema,
    {
        self.on(method, path, ended::<A>).says(|path| describe::<A>(path, StatusCode::NO_CONTENT))
    }

    /// Gives the last route its description.
    fn says(mut self, described: fn(&str) -> Described) -> Self {
        if let Some(entry) = self.0.last_mut() {
            entry.described = Some(described);
        }
        self
    }

    /// Adds another table's routes behind these.
    #[must_use]
    pub fn and(mut self, other: Table) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The routes.
    #[must_use]
    pub fn entries(&self) -> &[RouteEntry] {
        &self.0
    }

    /// Gives the routes to the server: one resource a path, which answers other methods with 405.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        let mut paths: Vec<&'static str> = Vec::new();
        for entry in &self.0 {
            if !paths.contains(&entry.path) {
                paths.push(entry.path);
            }
        }
        for path in paths {
            let entries: Vec<&RouteEntry> = self.0.iter().filter(|entry| entry.path == path).collect();
            let allow = Rc::new(entries.iter().map(|e| e.method.as_str()).collect::<Vec<_>>().join(", "));
            let mut resource = web::resource(path);
            for entry in entries {
                resource = resource.route((entry.make)());
            }
            let other = move |req: HttpRequest| {
                let allow = allow.clone();
                async move { not_allowed(&req, &allow) }
            };
            config.service(resource.default_service(web::to(other)));
        }
    }
}

async fn guard<B: MessageBody + 'static>(
    requires: Requirement,
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    // A response, not an error: the layers outside shape it by what it carries.
    match authenticate(req.request(), requires).await {
        Ok(()) => Ok(next.call(req).await?.map_into_left_body()),
        Err(problem) => Ok(req.into_response(problem.error_response()).map_into_right_body()),
    }
}

fn not_allowed(req: &HttpRequest, allow: &str) -> HttpResponse {
    let (path, method) = (req.path(), req.method());
    let refusal = Refusal::new(
        Code::MethodNotAllowed,
        format!("{path} 不支持 {method}，仅支持 {allow}"),
        format!("{path} does not take {method}, but {allow}"),
    );
    let mut response = respond(&refusal);
    if let Ok(value) = header::HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}
