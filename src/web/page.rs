//! What every page has: a language, a reader, navigation by permission, and a way back for a form that was refused.

use std::collections::BTreeMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

use super::form::Form;
use super::views;
use crate::action::{Action, Services, permitted};
use crate::clock::local_time;
use crate::http::caller::local;
use crate::http::jar::{ACCESS_COOKIE, CSRF_COOKIE, held};
use crate::http::permit::services;
use crate::http::problem::{Lang, OWN_BODY};
use crate::http::{May, act_blocking};
use crate::http::{Problem, request_id};
use crate::people::{Authenticated, DutiesDone, random_text};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::views::Reader;
use crate::vocabulary::{Duty, Permission};

/// The reader of a page and the address that was asked for.
pub struct Page {
    /// The reader's language.
    pub lang: Lang,
    /// Who reads, where somebody is logged in and the page asks for it.
    pub actor: Option<Actor>,
    /// The token that forms repeat.
    pub csrf: String,
    path: String,
    query: String,
    request_id: Option<String>,
    /// Somebody is logged in in this browser, though the page does not ask who.
    session: bool,
    /// A password that was given shortly before counts for a series of reviews.
    grace: bool,
    /// htmx asks for a part of a page.
    pub part: bool,
}

impl FromRequest for Page {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(req)))
    }
}

impl Page {
    /// The page that a request asks for.
    #[must_use]
    pub fn of(req: &HttpRequest) -> Self {
        let csrf = held(req, CSRF_COOKIE);
        let actor = req.extensions().get::<Authenticated>().map(|who| who.actor.clone());
        let grace = match (&actor, services(req)) {
            (Some(actor), Ok(services)) => services.identity.graced(actor, services.clock.now()).is_some(),
            _ => false,
        };
        Self {
            lang: Lang::of(req),
            actor,
            grace,
            csrf: csrf.unwrap_or_default(),
            path: req.path().to_owned(),
            query: req.query_string().to_owned(),
            request_id: request_id(req),
            session: held(req, ACCESS_COOKIE).is_some(),
            part: req.headers().contains_key("hx-request"),
        }
    }

    /// What the reader is to the views.
    ///
    /// # Errors
    /// [`crate::refusal::Code::Unauthenticated`] where nobody is logged in; else as [`Services::reader`].
    pub fn reader(&self, services: &Services) -> Result<Reader, Refusal> {
        match &self.actor {
            Some(actor) => services.reader(actor),
            None => Err(Refusal::new(crate::refusal::Code::Unauthenticated, "请先登录", "log in first")),
        }
    }

    /// Whether the reader may do something.
    #[must_use]
    pub fn may(&self, action: Permission) -> bool {
        self.actor.as_ref().is_some_and(|actor| permitted(actor, action).is_ok())
    }

    /// Shows a template.
    ///
    /// # Errors
    /// [`crate::refusal::Code::Internal`] where it cannot be filled.
    pub fn show(&self, template: &str, content: impl Serialize) -> Result<HttpResponse, Problem> {
        self.answer(template, content, &Form::default(), None)
    }

    /// Shows a template with a form in it that is filled beforehand.
    ///
    /// # Errors
    /// As [`Page::show`].
    pub fn filled(&self, template: &str, content: impl Serialize, form: &Form) -> Result<HttpResponse, Problem> {
        self.answer(template, content, form, None)
    }

    /// Shows a template; where a form was refused, with everything that was typed and the refusal at its field.
    ///
    /// # Errors
    /// As [`Page::show`].
    pub fn again(
        &self,
        template: &str,
        content: impl Serialize,
        refused: Option<&Refused>,
    ) -> Result<HttpResponse, Problem> {
        match refused {
            None => self.show(template, content),
            Some(refused) => self.answer(template, content, &refused.form, Some(&refused.refusal)),
        }
    }

    fn answer(
        &self,
        template: &str,
        content: impl Serialize,
        form: &Form,
        refusal: Option<&Refusal>,
    ) -> Result<HttpResponse, Problem> {
        let status = refusal.map_or(StatusCode::OK, status_of);
        let body = self.text(template, content, form, refusal)?;
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        response.insert_header((header::VARY, "Cookie, Accept-Language"));
        if refusal.is_some() {
            response.insert_header((OWN_BODY, "1"));
        }
        Ok(response.content_type("text/html; charset=utf-8").body(body))
    }

    /// The filled template.
    ///
    /// # Errors
    /// As [`Page::show`].
    pub fn text(
        &self,
        template: &str,
        content: impl Serialize,
        form: &Form,
        refusal: Option<&Refusal>,
    ) -> Result<String, Refusal> {
        let mut context = views::context(&content)?;
        context.insert_value("page", views::shown(self.frame()));
        context.insert_value("form", views::shown(json!(form.again())));
        context.insert_value("refusal", views::shown(json!(refusal.map(|refusal| self.shown(refusal, form)))));
        views::render(self.lang, template, &context)
    }

    fn frame(&self) -> serde_json::Value {
        let may: BTreeMap<String, bool> =
            Permission::ALL.iter().map(|action| (action.as_str().replace('.', "_"), self.may(*action))).collect();
        let user = self.actor.as_ref().map(|actor| {
            json!({"account": actor.account, "username": actor.username, "name": actor.display_name,
                   "roles": actor.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>()})
        });
        json!({
            "lang": self.lang.pick("zh-CN", "en"),
            "path": self.path,
            "section": self.path.split('/').nth(1).unwrap_or_default(),
            "switch": self.switch(),
            "csrf": self.csrf,
            "once": random_text(),
            "user": user,
            "session": self.session,
            "proof": {
                "grace": self.grace,
                "code": self.actor.as_ref().and_then(|actor| actor.session.as_ref()).is_some_and(|own| own.second_factor),
            },
            "may": may,
            "version": super::assets::VERSION.as_str(),
            "request_id": self.request_id,
        })
    }

    /// The address of this page in the other language.
    fn switch(&self) -> String {
        let other = self.lang.pick("en", "zh-CN");
        let kept: Vec<&str> =
            self.query.split('&').filter(|part| !part.is_empty() && !part.starts_with("lang=")).collect();
        if kept.is_empty() {
            format!("{}?lang={other}", self.path)
        } else {
            format!("{}?{}&lang={other}", self.path, kept.join("&"))
        }
    }

    fn shown(&self, refusal: &Refusal, form: &Form) -> serde_json::Value {
        let (zh, en) = refusal.code.title();
        json!({
            "title": self.lang.pick(zh, en),
            "message": self.lang.pick(&refusal.message_zh, &refusal.message_en),
            "code": refusal.code.as_str(),
            "status": refusal.code.status(),
            "field": refusal.field,
            "at": refusal.field.as_deref().map(|field| field_of(field, form)),
            "provisions": refusal.provisions,
            "changes": refusal.details["changes"].as_array().map(|all| self.told(all)),
        })
    }

    /// What others changed meanwhile, in words.
    fn told(&self, changes: &[serde_json::Value]) -> Vec<serde_json::Value> {
        let change = |one: &serde_json::Value| {
            let field = one["field"].as_str().unwrap_or_default();
            let [old, new] = ["old", "new"].map(|side| self.said(field, &one[side]));
            json!({"field": field, "old": old, "new": new, "by": one["by"], "at": one["at"]})
        };
        changes.iter().map(change).collect()
    }

    /// A value of the trail as a person reads it.
    fn said(&self, field: &str, value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::Null => "—".to_owned(),
            serde_json::Value::Array(all) => {
                let each: Vec<String> = all.iter().map(|one| self.said(field, one)).collect();
                each.join(self.lang.pick("、", ", "))
            }
            serde_json::Value::String(word) if field == "roles" => super::words::name("role", word, self.lang),
            // An instant is shown as the laboratory's clock shows it.
            serde_json::Value::String(text) => {
                chrono::DateTime::parse_from_rfc3339(text).map_or_else(|_| text.clone(), |at| local_time(at.to_utc()))
            }
            serde_json::Value::Object(all) => {
                let each: Vec<String> =
                    all.iter().map(|(name, one)| format!("{name} {}", self.said(name, one))).collect();
                each.join(self.lang.pick("，", ", "))
            }
            other => other.to_string(),
        }
    }

    /// The page of a refusal that no form can take back.
    #[must_use]
    pub fn problem(&self, refusal: &Refusal, provisions: impl Serialize) -> HttpResponse {
        let content = json!({"cited": provisions});
        let shown = self.answer("problem.html", content, &Form::default(), Some(refusal));
        shown.unwrap_or_else(|problem| {
            HttpResponse::InternalServerError()
                .insert_header((OWN_BODY, "1"))
                .content_type("text/plain; charset=utf-8")
                .body(problem.to_string())
        })
    }
}

/// Runs the action that a form asks for.
///
/// # Errors
/// What it refuses, as a problem.
pub async fn send<A: Action>(
    services: &Services,
    may: &May<A>,
    page: &Page,
    form: &Form,
    action: A,
) -> Result<A::Done, Problem> {
    form.printable(A::AS_FILED)?;
    act_blocking(services, may, form.call(&page.path), action).await.map(|answered| answered.done)
}

/// Why the reader may not have a duty, in both languages, for a page that does not offer it; null where nothing keeps
/// the reader from it.
#[must_use]
pub fn kept_from(done: &DutiesDone, wanted: Duty, actor: &Actor) -> serde_json::Value {
    let Err(why) = done.allow(wanted, &actor.account) else { return serde_json::Value::Null };
    let refusal = Refusal::from(why);
    json!({"zh": refusal.message_zh, "en": refusal.message_en})
}

/// A form that was refused.
pub struct Refused {
    /// What was typed.
    pub form: Form,
    /// Why.
    pub refusal: Refusal,
}

impl Refused {
    /// A form and why it was refused.
    #[must_use]
    pub fn new(form: Form, problem: Problem) -> Self {
        Self { form, refusal: *problem.0 }
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The form's field that a refusal's JSON path belongs to: the path itself, or the nearest one above it.
fn field_of(path: &str, form: &Form) -> String {
    let fields = form.again();
    let mut at = path;
    while !fields.contains_key(at) {
        match at.rfind(['.', '[']) {
            Some(cut) => at = &at[..cut],
            None => return path.to_owned(),
        }
    }
    at.to_owned()
}

/// Sends the browser on, to an address of this server: whatever else is asked for is the first page.
#[must_use]
pub fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, local(to))).finish()
}

/// A file for the browser to show or to keep.
#[must_use]
pub fn file(bytes: Vec<u8>, content_type: &str, name: &str, keep: bool) -> HttpResponse {
    use actix_web::http::header::{Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue};
    let name = DispositionParam::FilenameExt(ExtendedValue {
        charset: Charset::Ext("UTF-8".into()),
        language_tag: None,
        value: name.as_bytes().to_vec(),
    });
    let disposition = if keep { DispositionType::Attachment } else { DispositionType::Inline };
    HttpResponse::Ok()
        .insert_header(ContentDisposition { disposition, parameters: vec![name] })
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type(content_type)
        .body(bytes)
}
