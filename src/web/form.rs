//! What a form sent: its fields as typed, so that nothing typed is lost when the form comes back.

use std::collections::BTreeMap;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::{self, Query};
use actix_web::{FromRequest, HttpRequest};
use sha2::{Digest, Sha256};

use crate::action::{Call, Made, Once};
use crate::http::Problem;
use crate::http::body::collect;
use crate::http::permit::services;
use crate::refusal::{Code, Refusal};
use crate::secrets::Password;

pub use crate::http::upload::{uploads, with_fields};

/// The fields of a URL-encoded form, in their order.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

/// Fields that belong to a form itself: nobody types them.
const OF_THE_FORM: &[&str] = &[crate::http::cookies::CSRF_FIELD, "once", "revision"];
/// For how long two equal forms without a key of their own are one form that was sent twice: a second click.
const SECOND_CLICK: i64 = 10;

impl Form {
    /// How the form calls its action: once, and on the revision that it was made on. A form without a key (of a
    /// program, or of a page that is older than the keys) is known by what it says, for a short time.
    #[must_use]
    pub fn call(&self, path: &str) -> Call {
        let mut hash = Sha256::new();
        hash.update(path);
        // A password is not part of what tells forms apart: its hash would be kept, and this one is fast to guess.
        let told = |name: &str| !OF_THE_FORM.contains(&name) && !name.contains("password");
        for (name, value) in self.0.iter().filter(|(name, _)| told(name)) {
            for part in [name, value] {
                hash.update([0]);
                hash.update(part);
            }
        }
        let request_sha256 = hex::encode(hash.finalize());
        let own = self.opt("once");
        let seconds = own.is_none().then_some(SECOND_CLICK);
        let key = format!("{}:{request_sha256}", own.as_deref().unwrap_or("form"));
        let made = match self.opt("revision").map(|text| text.parse()) {
            Some(Ok(revision)) => Made::On(revision),
            _ => Made::Unseen,
        };
        Call { once: Some(Once { key, request_sha256, seconds }), made }
    }

    /// Refuses what no document can print, in every field but those that repeat what a file says.
    ///
    /// # Errors
    /// Names the field and the characters.
    pub fn printable(&self, as_filed: &[&str]) -> Result<(), Refusal> {
        let typed = self.0.iter().filter(|(name, _)| !OF_THE_FORM.contains(&name.as_str()));
        typed
            .map(|(name, value)| crate::text::fault(name, value, as_filed))
            .find_map(std::convert::identity)
            .map_or(Ok(()), Err)
    }

    /// What was typed in a field, without blanks around it; empty where there is no such field.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.opt(name).unwrap_or_default()
    }

    /// What was typed in a field; `None` where nothing was.
    #[must_use]
    pub fn opt(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// A whole number that was typed in a field.
    ///
    /// # Errors
    /// Names the field.
    pub fn whole(&self, name: &str) -> Result<i64, Refusal> {
        let typed = self.text(name);
        typed
            .parse()
            .map_err(|_| Refusal::field(name, format!("“{typed}”不是整数"), format!("{typed:?} is not a whole number")))
    }

    /// A word of a vocabulary in a field.
    ///
    /// # Errors
    /// Names the field.
    pub fn word<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Refusal> {
        crate::text::word(name, &self.text(name), parse)
    }

    /// What was typed in a field, blanks and all: a password.
    #[must_use]
    pub fn raw(&self, name: &str) -> String {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The password and the code that something is signed with; none where the grace of the session counts.
    #[must_use]
    pub fn proof(&self) -> (Option<Password>, Option<String>) {
        let password = Some(self.raw("password")).filter(|text| !text.is_empty());
        (password.map(Into::into), self.opt("code_password"))
    }

    /// Whether a box is ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        self.opt(name).is_some()
    }

    /// All values of a field that may be given several times.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.clone()).collect()
    }

    /// How many elements of `prefix[0]`, `prefix[1]`, … there are, at most `most`.
    #[must_use]
    pub fn count(&self, prefix: &str, most: usize) -> usize {
        let has = |index: usize| {
            let start = format!("{prefix}[{index}]");
            self.0.iter().any(|(key, _)| key.starts_with(&start))
        };
        (0..most).take_while(|index| has(*index)).count()
    }

    /// The fields for filling the form again; passwords, and what belongs to the form that was sent (its token, its
    /// key and the revision that it was made on), are left out.
    #[must_use]
    pub fn again(&self) -> BTreeMap<&str, &str> {
        let kept = |key: &str| !OF_THE_FORM.contains(&key) && !key.contains("password");
        self.0.iter().filter(|(key, _)| kept(key)).map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// Takes the fields that begin so away.
    pub fn remove(&mut self, prefix: &str) {
        self.0.retain(|(key, _)| !key.starts_with(prefix));
    }
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let payload = web::Payload::from_request(&req, payload).into_inner();
        Box::pin(async move {
            let limit = services(&req)?.site.json_bytes;
            let bytes = collect(payload, limit).await?;
            let text = std::str::from_utf8(&bytes).map_err(|_| unreadable())?;
            let fields = Query::<Vec<(String, String)>>::from_query(text).map_err(|_| unreadable())?;
            let taken = |(name, value): (String, String)| {
                let value = if name.contains("password") { value } else { crate::text::one_form(&value) };
                (name, value)
            };
            Ok(Self(fields.into_inner().into_iter().map(taken).collect()))
        })
    }
}

/// `prefix[k]…` of what was sent as the form counts, where elements left empty were not sent: `at` says at which
/// place of the form the k-th was.
#[must_use]
pub fn in_form(field: &str, prefix: &str, at: &[usize]) -> String {
    let rest = field.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('['));
    let parts = rest.and_then(|rest| rest.split_once(']'));
    let place = parts.and_then(|(index, rest)| Some((at.get(index.parse::<usize>().ok()?)?, rest)));
    place.map_or_else(|| field.to_owned(), |(index, rest)| format!("{prefix}[{index}]{rest}"))
}

fn unreadable() -> Refusal {
    Refusal::new(Code::BadRequest, "表单无法读取", "the form cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_element_is_found_in_the_form() {
        assert_eq!(in_form("readings[1].raw", "readings", &[0, 3]), "readings[3].raw");
        assert_eq!(in_form("readings[9].raw", "readings", &[0, 3]), "readings[9].raw");
        assert_eq!(
            in_form("receipt.samples[0].containers[2]", "receipt.samples", &[4]),
            "receipt.samples[4].containers[2]"
        );
        assert_eq!(in_form("reason", "readings", &[]), "reason");
    }

    #[test]
    fn elements_are_counted_without_gaps() {
        let mut form = Form::default();
        form.set("a[0].x", "1");
        form.set("a[1].y", "");
        form.set("a[3].x", "1");
        assert_eq!(form.count("a", 50), 2);
        assert_eq!(form.opt("a[1].y"), None);
        form.remove("a[1]");
        assert_eq!(form.count("a", 50), 1);
    }
}
