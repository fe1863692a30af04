//! A handler's permit is part of its signature.
//!
//! The first parameter of every handler is its gate: [`Permit`] with an action, [`AnyAccount`] or [`Public`].
//! [`super::table::Table`] takes no handler without one, checks the gate before anything else of the request is
//! read, and knows from it what the route asks for.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::caller::caller;
use super::jar::{ACCESS_COOKIE, held};
use super::problem::Problem;
use super::renewal::renew;
use super::request_id;
use super::run::run;
use crate::action::{Action, Services, permitted};
use crate::people::{Authenticated, DutyFirst};
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::columns::SessionId;
use crate::vocabulary::Permission;

/// What an account may do that has something to do first: just that, and go.
const WHILE_DUE: &[&str] = &[
    "/password",
    "/second-factor",
    "/second-factor/confirm",
    "/logout",
    "/api/v1/session",
    "/api/v1/session/password",
    "/api/v1/session/second-factor",
    "/api/v1/session/second-factor/confirm",
];

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    Public,
    /// Any account that is logged in.
    AnyAccount,
    /// A role that may do this.
    Permission(Permission),
    /// A role that may do this action, which is what the route does.
    Action {
        /// Its name.
        name: &'static str,
        /// Its permission.
        permission: Permission,
    },
}

impl Requirement {
    /// The permission that is asked for, where one is.
    #[must_use]
    pub fn permission(self) -> Option<Permission> {
        match self {
            Self::Permission(permission) | Self::Action { permission, .. } => Some(permission),
            Self::Public | Self::AnyAccount => None,
        }
    }
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::AnyAccount => f.write_str("any account"),
            Self::Permission(permission) | Self::Action { permission, .. } => f.write_str(permission.as_str()),
        }
    }
}

/// The first parameter of a handler.
pub trait Gate: FromRequest {
    /// What it asks for.
    const REQUIRES: Requirement;
}

/// A permission as a type.
pub trait Permits: 'static {
    /// The action that it permits.
    const PERMISSION: Permission;
}

/// The actor, who may do `P`.
pub struct Permit<P: Permits> {
    /// Who acts.
    pub actor: Actor,
    /// In which session.
    pub session: SessionId,
    permission: PhantomData<P>,
}

/// The actor, who may do the action `A`.
pub struct May<A: Action> {
    /// Who acts.
    pub actor: Actor,
    /// In which session.
    pub session: SessionId,
    action: PhantomData<fn() -> A>,
}

/// Somebody who is logged in, whatever the role.
pub struct AnyAccount {
    /// Who acts.
    pub actor: Actor,
    /// In which session.
    pub session: SessionId,
    /// What is to be done before anything else.
    pub due: Option<DutyFirst>,
}

impl AnyAccount {
    /// Actor and session together.
    #[must_use]
    pub fn authenticated(self) -> Authenticated {
        Authenticated { actor: self.actor, session: self.session, due: self.due }
    }
}

/// Anybody.
pub struct Public;

impl<P: Permits> Gate for Permit<P> {
    const REQUIRES: Requirement = Requirement::Permission(P::PERMISSION);
}

impl<A: Action> Gate for May<A> {
    const REQUIRES: Requirement = Requirement::Action { name: A::NAME, permission: A::PERMISSION };
}

impl Gate for AnyAccount {
    const REQUIRES: Requirement = Requirement::AnyAccount;
}

impl Gate for Public {
    const REQUIRES: Requirement = Requirement::Public;
}

impl<P: Permits> FromRequest for Permit<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(behind(req).and_then(|who| {
            permitted(&who.actor, P::PERMISSION)?;
            Ok(Self { actor: who.actor, session: who.session, permission: PhantomData })
        }))
    }
}

impl<A: Action> FromRequest for May<A> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(behind(req).and_then(|who| {
            permitted(&who.actor, A::PERMISSION)?;
            Ok(Self { actor: who.actor, session: who.session, action: PhantomData })
        }))
    }
}

impl FromRequest for AnyAccount {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(behind(req).map(|who| Self { actor: who.actor, session: who.session, due: who.due }))
    }
}

impl FromRequest for Public {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}

/// Who is behind the request, as [`authenticate`] found out at the route's gate.
fn behind(req: &HttpRequest) -> Result<Authenticated, Problem> {
    req.extensions().get::<Authenticated>().cloned().ok_or_else(|| log_in_first().into())
}

/// Finds out who is behind the request and leaves it there for the handler's gate.
///
/// # Errors
/// [`Code::Unauthenticated`], [`Code::SessionRevoked`], [`Code::Forbidden`].
pub async fn authenticate(req: &HttpRequest, requirement: Requirement) -> Result<(), Problem> {
    if requirement == Requirement::Public {
        return Ok(());
    }
    let token = credential(req).ok_or_else(log_in_first)?.into_token();
    let identity = services(req)?.identity.clone();
    let request = request_id(req);
    let who = match run(move || identity.authenticate(&token, request.as_deref())).await {
        Err(problem) => renew(req).await?.ok_or(problem)?,
        Ok(who) => who,
    };
    if let Some(due) = who.due.filter(|_| !WHILE_DUE.contains(&req.match_pattern().unwrap_or_default().as_str())) {
        req.extensions_mut().insert(who);
        return Err(due.refusal().into());
    }
    let allowed = requirement.permission().map_or(Ok(()), |permission| {
        permitted(&who.actor, permission).inspect_err(|_| {
            if let Ok(services) = services(req) {
                services.identity.denied(&who.actor, permission, caller(req).source);
            }
        })
    });
    // Also for who is refused: the page that says so is theirs.
    req.extensions_mut().insert(who);
    Ok(allowed?)
}

/// The services that the application was built with.
///
/// # Errors
/// [`Code::Internal`] where it was built without.
pub fn services(req: &HttpRequest) -> Result<Services, Problem> {
    req.app_data::<web::Data<Services>>()
        .map(|data| data.get_ref().clone())
        .ok_or_else(|| Refusal::new(Code::Internal, "内部错误", "internal error").into())
}

/// An access token, by the way that it came.
pub enum Credential {
    /// `Authorization: Bearer …`: put there by a program that knows it.
    Bearer(String),
    /// A cookie: put there by a browser, whoever made it send the request.
    Cookie(String),
}

impl Credential {
    fn into_token(self) -> String {
        match self {
            Self::Bearer(token) | Self::Cookie(token) => token,
        }
    }
}

/// The request's access token. Where there is an `Authorization` header, cookies do not count.
#[must_use]
pub fn credential(req: &HttpRequest) -> Option<Credential> {
    if let Some(value) = req.headers().get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| Credential::Bearer(token.trim().to_owned()));
    }
    held(req, ACCESS_COOKIE).map(Credential::Cookie)
}

fn log_in_first() -> Refusal {
    Refusal::new(Code::Unauthenticated, "请先登录", "log in first")
}

/// One type an action, so that a handler can name it in its signature.
macro_rules! permissions {
    ($($name:ident),* $(,)?) => {
        /// A type for every action of the regulation.
        pub mod permission {
            use super::{Permission, Permits};
            $(
                #[doc = concat!("Permits `Permission::", stringify!($name), "`.")]
                pub struct $name;
                impl Permits for $name {
                    const PERMISSION: Permission = Permission::$name;
                }
            )*
        }

        /// Does not compile when an action is missing in the list below.
        #[allow(dead_code)]
        const fn every_permission_has_a_type(permission: Permission) {
            match permission { $(Permission::$name => {})* }
        }
    };
}

permissions!(
    CaseRead,
    ApplicantRead,
    CaseCreate,
    CaseAccept,
    CaseRefuse,
    CaseWithdraw,
    CaseVoid,
    CaseTakeIn,
    SampleReceive,
    ReversalMake,
    LabelPrint,
    PortSample,
    ClockRefresh,
    CustodyRead,
    CustodyMove,
    CustodyReturn,
    CustodyDestroy,
    CustodyHandOver,
    KeepingAsk,
    KeepingApprove,
    KeepingCarryOut,
    TaskRead,
    TaskStart,
    ResultEnter,
    ResultReview,
    ResultCorrect,
    CorrectionRead,
    CorrectionPropose,
    CorrectionDecide,
    OosDecide,
    OosInvestigate,
    RawRecordRead,
    InstrumentUpload,
    InstrumentRead,
    InstrumentAccept,
    InstrumentReject,
    InstrumentCheck,
    EvaluationRead,
    EvaluationCreate,
    StandardManage,
    InstrumentRegisterRead,
    InstrumentRegisterManage,
    InstrumentCalibrate,
    DeadLetterDecide,
    ProtocolReview,
    CertificateRead,
    CertificateDraft,
    CertificateReview,
    CertificateSign,
    CertificateDiscard,
    CertificateWithdraw,
    CatalogueRead,
    ApplicantManage,
    InstituteManage,
    ProductManage,
    SpecificationDraft,
    SpecificationRelease,
    AuthorisationManage,
    RegulationRead,
    AccountRead,
    AccountManage,
    SignatoryAppoint,
    OwnPasswordChange,
    OwnSessionEnd,
    OwnSecondFactor,
    AuditRead,
    AuditVerify,
    OwnCaseRead,
    OwnCaseSubmit,
    OwnCaseWithdraw,
    OwnCertificateRead,
);
