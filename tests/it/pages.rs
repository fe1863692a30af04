//! The pages over HTTP, as a browser without scripts uses them.

use chrono::Duration;
use qianfa::vocabulary::Role;

use crate::support::client::{Answer, Client};
use crate::support::{On, PASSWORD, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

/// A browser: cookies, and forms with their token.
pub struct Browser(pub Client);

impl Browser {
    pub fn new(app: &TestApp) -> Self {
        let browser = Self(app.client());
        assert_eq!(browser.0.get("/login").status, 200);
        browser
    }

    /// A browser in which that user logged in by the page.
    pub fn logged_in(app: &TestApp, username: &str) -> Self {
        let browser = Self::new(app);
        let answer = browser.form("/login", &[("username", username), ("password", PASSWORD)]);
        assert_eq!((answer.status, to(&answer)), (303, "/"), "{}", answer.text);
        browser
    }

    pub fn get(&self, path: &str) -> Answer {
        self.0.get(path)
    }

    /// The page, which must be one.
    pub fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {} {}", to(&answer), answer.text);
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8", "{path}");
        answer.text
    }

    fn token(&self) -> String {
        self.0.cookies.borrow().get("qf_csrf").cloned().unwrap_or_default()
    }

    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token();
        let mut all = fields.to_vec();
        all.push(("csrf", &token));
        let body: Vec<String> =
            all.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        self.0.send("POST", path, Some("application/x-www-form-urlencoded"), body.join("&").into_bytes())
    }

    /// The revision that the form of a page is made on.
    pub fn revision(&self, path: &str) -> String {
        value(&self.page(path), "revision")
    }

    /// A form that was opened just now.
    pub fn fresh_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let revision = self.revision(path);
        let mut all = fields.to_vec();
        all.push(("revision", &revision));
        self.form(path, &all)
    }

    /// A form with one file; the token stands in its address.
    fn file(&self, path: &str, field: &str, name: &str, bytes: &[u8]) -> Answer {
        let mut body = format!(
            "--cut\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--cut--\r\n");
        let path = format!("{path}?csrf={}", encoded(&self.token()));
        self.0.send("POST", &path, Some("multipart/form-data; boundary=cut"), body)
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Where an answer sends the browser.
pub fn to(answer: &Answer) -> &str {
    answer.headers.get("location").map_or("", String::as_str)
}

/// The value of a field in a page's form.
pub fn value(page: &str, field: &str) -> String {
    let start = format!("name=\"{field}\"");
    let tag = page.split('<').find(|tag| tag.contains(&start)).unwrap_or_else(|| panic!("no field {field}"));
    let found = tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next());
    found.unwrap_or_default().replace("&#x2F;", "/")
}

/// Whether a page says that this field is at fault.
fn faulty(page: &str, field: &str) -> bool {
    page.split('<').any(|tag| tag.contains(&format!("name=\"{field}\"")) && tag.contains("aria-invalid"))
}

#[test]
fn a_person_logs_in_by_the_page_and_out_again() {
    let app = TestApp::start(On::Sqlite);
    let browser = Browser::new(&app);
    let wrong = browser.form("/login", &[("username", "admin"), ("password", "not the password"), ("next", "/audit")]);
    assert_eq!(wrong.status, 401);
    assert_eq!(value(&wrong.text, "username"), "admin", "what was typed comes back");
    assert!(!wrong.text.contains("not the password"));
    let forged = Client::new(&app.base).send(
        "POST",
        "/login",
        Some("application/x-www-form-urlencoded"),
        format!("username=admin&password={}", encoded(PASSWORD)).into_bytes(),
    );
    assert_eq!(forged.status, 403, "a form of another site logs nobody in");
    for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let answer =
            Browser::new(&app).form("/login", &[("username", "admin"), ("password", PASSWORD), ("next", elsewhere)]);
        assert_eq!((answer.status, to(&answer)), (303, "/"), "{elsewhere}");
    }
    let right =
        browser.form("/login", &[("username", "admin"), ("password", PASSWORD), ("next", "/audit?actor=admin")]);
    assert_eq!((right.status, to(&right)), (303, "/audit?actor=admin"));
    assert!(right.set_cookies.iter().filter(|c| c.contains("HttpOnly") && c.contains("SameSite=Strict")).count() >= 2);
    assert!(browser.page("/").contains("管理员"));
    let out = browser.form("/logout", &[]);
    assert_eq!((out.status, to(&out)), (303, "/login"));
    assert_eq!(to(&browser.get("/audit")), "/login?next=/audit");
}

#[test]
fn refusals_are_pages_in_the_readers_language() {
    let app = TestApp::start(On::Sqlite);
    let stranger = Client::new(&app.base);
    let led = stranger.get("/bench?sample=SX2026&mine=1");
    assert_eq!((led.status, to(&led)), (303, "/login?next=/bench%3Fsample%3DSX2026%26mine%3D1"));
    app.account("analyst", &[Role::Analyst]);
    let browser = Browser::logged_in(&app, "analyst");
    let refused = browser.get("/accounts");
    assert_eq!((refused.status, refused.headers["content-type"].as_str()), (403, "text/html; charset=utf-8"));
    assert!(
        refused.text.contains("没有权限") && refused.text.contains("href=\"/bench\""),
        "with the reader's navigation"
    );
    assert!(refused.text.contains(&refused.headers["x-request-id"]), "with the request's id");
    assert_eq!(browser.get("/tasks/none").status, 404);
    assert!(browser.get("/no/such/page").text.contains("<!DOCTYPE html>"));
    assert_eq!(browser.get("/samples/none").status, 404);
    let switch = browser.get("/bench?sample=x&lang=en");
    assert_eq!((switch.status, to(&switch)), (303, "/bench?sample=x"));
    assert!(browser.page("/bench?sample=x").contains("<html lang=\"en\">"));
    assert!(browser.get("/accounts").text.contains("Not permitted"));
    // A form without its token does nothing, and says so.
    let untold = browser.0.send("POST", "/bench/next", Some("application/x-www-form-urlencoded"), Vec::new());
    assert_eq!(untold.status, 403);
    assert!(untold.text.contains("reload the page"));
    // Programs are answered as before.
    assert_eq!(browser.get("/api/v1/accounts").problem(), "forbidden");
}

#[test]
fn every_page_opens_for_who_may_see_it_in_both_languages() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    world.product("P-1", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
    let staff: Vec<Role> = Role::ALL.iter().copied().filter(|role| *role != Role::Applicant).collect();
    app.account("everything", &staff);
    let browser = Browser::logged_in(&app, "everything");
    let table = qianfa::web::table();
    let mut seen = 0;
    for lang in ["zh-CN", "en"] {
        browser.get(&format!("/?lang={lang}"));
        for entry in table.entries().iter().filter(|entry| entry.method == "GET" && !entry.path.contains('{')) {
            // A scan leads on, and the choices of a search field are a part of a page.
            let part = entry.path.ends_with("/choices") || entry.path.ends_with("/options");
            if part || ["/find", "/favicon.ico"].contains(&entry.path) {
                continue;
            }
            let page = browser.page(entry.path);
            assert!(page.contains(&format!("<html lang=\"{lang}\">")), "{}", entry.path);
            assert!(!page.contains("style=\"") && !page.contains("<script>"), "{}: the policy forbids it", entry.path);
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

/// The desk's form for one lot.
fn desk<'a>(product: &'a str, applicant: &'a str, containers: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("application.business", "drug_registration"),
        ("application.purpose", "initial"),
        ("application.product_id", product),
        ("application.applicant_id", applicant),
        ("application.particulars.supplier", "示范供样单位"),
        ("application.batches[0].lot_number", "L-0"),
        ("application.batches[1].lot_number", "L-1"),
        ("application.batches[1].expires_on", "2028-12-31"),
        ("receipt.samples[0].containers", ""),
        ("receipt.samples[1].containers", containers),
        ("receipt.samples[1].packages", "1"),
        ("receipt.samples[1].seals_intact", "1"),
        ("receipt.samples[1].packages_intact", "1"),
        ("receipt.samples[1].label_matches", "1"),
    ]
}

#[test]
fn the_desk_loses_nothing_and_says_what_is_short() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
        let browser = Browser::logged_in(app, "receiver");
        assert!(value(&browser.page("/desk"), "csrf").len() > 20);
        // Live, while the form is filled: two containers are needed of each lot, one came.
        let live = browser.form("/desk/preview", &desk(&product, "", "1"));
        assert_eq!(live.status, 200, "{}", live.text);
        let shown = live.text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("须送 <b>2</b>") && shown.contains("<b class=\"bad\">1</b>"), "{shown}");
        assert!(live.text.contains("国办发〔2024〕53号"), "with its clause: {}", live.text);
        // The lot before it did not arrive, so the refused sample is the first sent and the second of the form.
        let short = browser.form("/desk", &desk(&product, &world.applicant_id, "1"));
        assert_eq!(short.status, 422);
        assert!(short.text.contains("尚缺 1 个"), "{}", short.text);
        assert!(
            faulty(&short.text, "receipt.samples[1].containers")
                && !faulty(&short.text, "receipt.samples[0].containers")
        );
        assert_eq!(value(&short.text, "application.batches[1].lot_number"), "L-1");
        assert_eq!(value(&short.text, "application.particulars.supplier"), "示范供样单位");
        assert_eq!(value(&short.text, "product_code"), "P-1");
        assert_eq!(value(&short.text, "applicant_name"), "示范申请人有限公司");
        // Batches come and go without anything being sent.
        let mut more = desk(&product, &world.applicant_id, "2");
        more.push(("do", "add_batch"));
        let longer = browser.form("/desk/form", &more);
        assert_eq!(longer.status, 200);
        assert!(longer.text.contains("application.batches[2].lot_number"));
        assert_eq!(value(&longer.text, "receipt.samples[1].containers"), "2");
        let taken = browser.form("/desk", &desk(&product, &world.applicant_id, "2"));
        assert_eq!(taken.status, 303, "{}", taken.text);
        let case = browser.page(to(&taken));
        assert!(
            case.contains("SX20260001") && case.contains("示范申请人有限公司") && case.contains("示范供样单位"),
            "{case}"
        );
        let found = browser.get("/find?code=SX20260001-02");
        let labels = format!("{}/labels", to(&found));
        let before = browser.page(&labels);
        assert!(!before.contains("<svg"), "nothing is shown that could be printed past the record: {before}");
        let sheet = browser.form(&labels, &[("first", "0"), ("last", "2")]);
        assert_eq!(sheet.status, 200, "{}", sheet.text);
        assert_eq!(sheet.text.matches("<svg").count(), 3, "one for the sample and one for each container");
        assert!(sheet.text.contains("SX20260001-02"));
        let again = browser.form(&labels, &[("first", "1"), ("last", "1")]);
        assert!(again.status == 422 && again.text.contains("已打印 1 次"), "{} {}", again.status, again.text);
        let again = browser.form(&labels, &[("first", "1"), ("last", "1"), ("reason", "标签污损")]);
        assert!(again.status == 200 && again.text.contains("第 2 次打印"), "{} {}", again.status, again.text);
        let kept = browser.page(&labels);
        assert!(kept.contains("标签污损") && kept.contains("receiver"), "{kept}");
    });
}

#[test]
fn those_who_test_do_not_learn_for_whom() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
    let browser = Browser::logged_in(&app, "receiver");
    let taken = browser.form("/desk", &desk(&product, &world.applicant_id, "2"));
    let case = to(&taken).split('?').next().unwrap_or_default().to_owned();
    let sample = to(&browser.get("/find?code=SX20260001")).to_owned();
    let task = format!("/tasks/{}", world.task("SX20260001", "assay", "waiting"));
    let secrets = ["示范申请人有限公司", world.applicant_id.as_str(), "示范供样单位"];
    assert!(secrets.iter().all(|secret| browser.page(&case).contains(secret) || *secret == world.applicant_id));
    let analyst = Browser::logged_in(&app, "analyst");
    for path in ["/cases", &case, &sample, "/bench", &task, &format!("{sample}/labels")] {
        let page = analyst.page(path);
        assert!(page.contains("示范品"), "{path}");
        for secret in secrets {
            assert!(!page.contains(secret), "{path} tells {secret}");
        }
    }
    assert_eq!(analyst.get("/applicants").status, 403);
}

#[test]
fn from_the_bench_to_a_signed_certificate_by_pages() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
    let taken = world.take_in("drug_registration", &product, "L-1", 3);
    let sample = text(&taken["samples"][0], "id");
    let analyst = Browser::logged_in(&app, "analyst");
    let next = analyst.form("/bench/next", &[]);
    let task = to(&next).to_owned();
    assert!(task.starts_with("/tasks/"), "{}", next.text);
    let reading = |raw: &'static str| {
        vec![("readings[0].name", "x"), ("readings[0].position", "1"), ("readings[0].raw", raw), ("reagents", "试剂 B")]
    };
    let wrong = analyst.fresh_form(&task, &reading("九十九"));
    assert_eq!(wrong.status, 422);
    assert!(faulty(&wrong.text, "readings[0].raw"));
    assert_eq!(value(&wrong.text, "readings[0].raw"), "九十九", "what was typed is never blanked");
    assert_eq!(analyst.fresh_form(&task, &reading("89.96")).status, 303);
    let silent = analyst.fresh_form(&task, &reading("89.94"));
    assert!(silent.status == 422 && faulty(&silent.text, "reason"), "{}", silent.text);
    let mut told = reading("89.94");
    told.push(("reason", "抄录有误"));
    assert_eq!(analyst.fresh_form(&task, &told).status, 303);
    let page = analyst.page(&task);
    assert!(page.contains("89.94 → 89.9") && page.contains("抄录有误") && page.contains("不符合规定"), "{page}");

    let reviewer = Browser::logged_in(&app, "reviewer");
    assert!(reviewer.page("/review").contains("更正 1 处"));
    let result = value(&reviewer.page(&task), "result_id");
    let back = reviewer.form(&format!("{task}/review"), &[("result_id", &result), ("outcome", "sent_back")]);
    assert!(back.status == 422 && faulty(&back.text, "note"));
    let approved = reviewer.form(&format!("{task}/review"), &[("result_id", &result), ("outcome", "approved")]);
    assert_eq!((approved.status, to(&approved)), (303, "/review"));

    let quality = Browser::logged_in(&app, "quality");
    assert!(quality.page("/oos").contains(&task));
    let points = ["analyst", "instrument", "standard", "solution", "calculation"];
    let mut checked = vec![("cause".to_owned(), String::new()), ("reason".to_owned(), "未发现差错".to_owned())];
    for (at, point) in points.iter().enumerate() {
        checked.push((format!("answers[{at}].point"), (*point).to_owned()));
        checked.push((format!("answers[{at}].finding"), "in_order".to_owned()));
    }
    let checked: Vec<(&str, &str)> = checked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert!(reviewer.page(&task).contains("实验室检查"));
    assert_eq!(reviewer.form(&format!("{task}/investigation/check"), &checked).status, 303);
    let bare = quality.form(&format!("{task}/investigation/confirmation"), &[("reason", " ")]);
    assert!(bare.status == 422 && faulty(&bare.text, "reason"));
    let confirmed = quality.form(&format!("{task}/investigation/confirmation"), &[("reason", "复核无误")]);
    assert_eq!(confirmed.status, 303);

    assert!(reviewer.page("/certificates").contains(&sample));
    let drafted = reviewer.form("/certificates", &[("sample_id", &sample)]);
    let certificate = to(&drafted).to_owned();
    assert!(certificate.starts_with("/certificates/"), "{}", drafted.text);
    let pdf = reviewer.get(&format!("{certificate}/pdf"));
    assert_eq!((pdf.status, pdf.headers["content-type"].as_str()), (200, "application/pdf"));
    assert_eq!(pdf.headers["x-frame-options"], "SAMEORIGIN", "a page of ours shows it");
    assert_eq!(quality.form(&format!("{certificate}/review"), &[]).status, 303);

    let signatory = Browser::logged_in(&app, "signatory");
    let sign = format!("{certificate}/sign");
    let refused = signatory.form(&sign, &[("meaning", "授权签发"), ("password", "not the password")]);
    assert_eq!(refused.status, 401);
    assert!(signatory.page(&certificate).contains("已审核"));
    assert_eq!(signatory.form(&sign, &[("meaning", "授权签发"), ("password", PASSWORD)]).status, 303);
    let issued = signatory.page(&certificate);
    assert!(issued.contains("已签发") && issued.contains("不符合规定"), "{issued}");
    let code = issued.split("href=\"/verify/").nth(1).and_then(|rest| rest.split('"').next()).expect("a code");
    public_says(&app, code, &signatory.get(&format!("{certificate}/pdf")).bytes);
    let withdrawn =
        signatory.form(&format!("{certificate}/withdraw"), &[("reason", "示范撤销"), ("password", PASSWORD)]);
    assert_eq!(withdrawn.status, 303);
    assert!(Browser::new(&app).page(&format!("/verify/{code}")).contains("已撤销"));
}

/// The public's page knows the file that was issued from any other, by its code and without.
fn public_says(app: &TestApp, code: &str, issued: &[u8]) {
    let anybody = Browser::new(app);
    let by_code = format!("/verify/{code}");
    assert!(anybody.page(&by_code).contains("目前有效"));
    assert_eq!(to(&anybody.get(&format!("/verify?code={code}"))), by_code);
    let mut flipped = issued.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for path in ["/verify", &by_code] {
        let same = anybody.file(path, "file", "x.pdf", issued);
        assert!(
            same.status == 200 && same.text.contains("该文件就是签发的那一份") && same.text.contains("电子签名完好"),
            "{}",
            same.text
        );
        let other = anybody.file(path, "file", "x.pdf", &flipped);
        assert!(other.status == 200 && !other.text.contains("该文件就是签发的那一份"), "{path}");
    }
    assert!(anybody.file(&by_code, "file", "x.pdf", &flipped).text.contains("不是签发的那一份"));
    assert!(anybody.file("/verify", "file", "x.txt", b"no certificate").text.contains("不是本机构签发的文件"));
    assert!(anybody.page("/verify/AAAABBBBCCCCDDDD").contains("没有该验证码"));
    assert_eq!(anybody.file("/verify", "file", "", b"").status, 422);
}

#[test]
fn a_file_is_uploaded_once_and_a_value_leads_to_its_line() {
    let app = TestApp::start(On::Sqlite);
    World::new(&app);
    let analyst = Browser::logged_in(&app, "analyst");
    let unknown = analyst.file("/instrument-files", "files", "note.txt", "nothing that an adapter knows\n".as_bytes());
    assert_eq!(unknown.status, 303, "{}", unknown.text);
    let there = to(&unknown).to_owned();
    assert!(analyst.page(&there).contains("没有适配器能识别"));
    let again = analyst.file("/instrument-files", "files", "other.txt", "nothing that an adapter knows\n".as_bytes());
    assert_eq!(to(&again), there, "the same content is one import");
    let rejected = analyst.form(&format!("{there}/reject"), &[("reason", "不是仪器文件")]);
    assert_eq!(rejected.status, 303);
    let original = analyst.get(&format!("{there}/original"));
    assert_eq!(original.bytes, b"nothing that an adapter knows\n");
    assert!(original.headers["content-disposition"].starts_with("attachment"));

    let weighed = "--------------------\n18-Mar-2026 09:12\nModel       MSA225S\nSerNo.    0034502117\nID           BAL-014\n\
                   --------------------\nS ID      SX20260001\nN     + 25.10372 g\nN     + 26.11584 g\n\
                   --------------------\n18-Mar-2026 13:47\nName:\n\n--------------------\n";
    let read = analyst.file("/instrument-files", "files", "balance.txt", weighed.replace('\n', "\r\n").as_bytes());
    let page = analyst.page(to(&read));
    assert!(page.contains("26.11584"), "{page}");
    let marked =
        page.split("href=\"?observation=").nth(2).and_then(|rest| rest.split('#').next()).expect("a second value");
    let page = analyst.page(&format!("{}?observation={marked}", to(&read)));
    let line = page.split("id=\"marked\"").nth(1).and_then(|rest| rest.split("</div>").next()).expect("a marked line");
    assert!(line.contains("26.11584") && line.contains(">9<"), "{line}");
}

#[test]
fn a_session_goes_on_though_its_access_token_expired() {
    let app = TestApp::start(On::Sqlite);
    let browser = Browser::logged_in(&app, "admin");
    let before = browser.0.cookies.borrow().clone();
    let again = || {
        let second = Browser(app.client());
        *second.0.cookies.borrow_mut() = before.clone();
        second
    };
    app.pass(Duration::minutes(11));
    // Two requests of one browser at once, with the same refresh token: neither is taken for a thief's.
    let (one, other) = (again(), again());
    for one in [&one, &other] {
        let page = one.get("/accounts");
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.set_cookies.iter().any(|cookie| cookie.starts_with("qf_refresh=")));
    }
    // The form of a page that was open before is still good.
    let third = again();
    let made = third.form("/applicants", &[("name", "夜班申请人"), ("address", ""), ("contact", "")]);
    assert_eq!((made.status, to(&made)), (303, "/applicants"), "{}", made.text);
    assert!(one.page("/applicants").contains("夜班申请人"));
    // Much later the old token is a stolen one, and the session ends with all that came from it.
    app.pass(Duration::minutes(5));
    assert_eq!(to(&again().get("/accounts")), "/login?next=/accounts");
    app.pass(Duration::minutes(11));
    assert_eq!(to(&one.get("/accounts")), "/login?next=/accounts");
    // A program refreshes by itself.
    assert_eq!(again().get("/api/v1/accounts").status, 401);
}

#[test]
fn accounts_and_registers_are_kept_by_pages() {
    let app = TestApp::start(On::Sqlite);
    let browser = Browser::logged_in(&app, "admin");
    let institute = app.institute.to_string();
    let new = |name: &'static str, password: &'static str| {
        vec![
            ("username", name),
            ("display_name", "新人"),
            ("password", password),
            ("roles", "analyst"),
            ("roles", "reviewer"),
        ]
    };
    let mut short = new("newcomer", "short");
    short.push(("institute", &institute));
    let refused = browser.form("/accounts", &short);
    assert!(refused.status == 422 && faulty(&refused.text, "password"), "{}", refused.text);
    assert_eq!(value(&refused.text, "username"), "newcomer");
    let mut good = new("newcomer", PASSWORD);
    good.push(("institute", &institute));
    assert_eq!(browser.form("/accounts", &good).status, 303);
    assert!(Browser::logged_in(&app, "newcomer").page("/").contains("检验员、复核员"));
    let trail = browser.page("/audit?action=account.create");
    assert!(trail.contains("account.create") && trail.contains("newcomer"));
    app.services.sealer.round().expect("a seal");
    assert!(browser.page("/audit/verification").contains("全部吻合"));
    let admin = app.logged_in("admin");
    let listed = ok(&admin.get("/api/v1/accounts"), 200);
    assert!(listed.to_string().contains("newcomer"));
    let register = browser.page("/regulation?on=2025-04-01&place=CN-SH");
    assert!(register.contains(">上海</span>") && !register.contains(">山西</span>"), "local rules of one place");
    assert_eq!(browser.get("/regulation?on=yesterday").status, 422);
}
