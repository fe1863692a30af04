//! The lines of business beside the main job: port entry and device registration, walked over HTTP on both databases
//! from the intake to the signed certificate. Expected dates are counted by hand, from the domain's rules (SH-11a,
//! SX-11e; Order 4 of 2003, articles 23 and 26; Civil Code 201 and 203) and the arrangement of holidays of 2026.

use std::collections::BTreeMap;

use chrono::{TimeZone, Utc};
use qianfa::vocabulary::{Business, Role};
use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::client::{Answer, Client};
use crate::support::{PASSWORD, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

/// Sets the clock to an hour of a day of 2026 in Shanghai (UTC+8).
fn at(app: &TestApp, month: u32, day: u32, hour: u32) {
    app.clock.set(Utc.with_ymd_and_hms(2026, month, day, hour - 8, 0, 0).single().expect("an instant"));
}

/// An institute in Shanghai with its people, entered by the administrator.
struct Shanghai<'a> {
    app: &'a TestApp,
    applicant_id: String,
}

impl<'a> Shanghai<'a> {
    fn new(app: &'a TestApp) -> Self {
        let admin = app.logged_in("admin");
        let institute = json!({
            "code": "SHIDC", "name_zh": "上海示范药品检验所", "name_en": "Shanghai Demonstration Institute",
            "abbreviation": "沪", "jurisdiction": "CN-SH", "address_zh": "上海市", "address_en": "Shanghai",
            "sample_prefix": "SH",
        });
        let institute = text(&ok(&admin.post("/api/v1/institutes", &institute), 201), "id");
        let first = json!({"username": "admin.sh", "display_name": "管理员", "password": PASSWORD});
        ok(&admin.post(&format!("/api/v1/institutes/{institute}/administrator"), &first), 201);
        let admin = app.logged_in("admin.sh");
        let people = [Role::Applicant, Role::Administrator, Role::Installation];
        for role in Role::ALL.iter().filter(|role| !people.contains(role)) {
            let account = json!({"username": format!("{role}.sh"), "display_name": role.zh(), "password": PASSWORD,
                                 "institute": institute, "roles": [role.as_str()]});
            let id = text(&ok(&admin.post("/api/v1/accounts", &account), 201), "id");
            if *role != Role::AuthorisedSignatory {
                continue;
            }
            for business in Business::ALL {
                let field = json!({"business": business, "valid_from": "2026-01-01", "valid_to": "2036-12-31",
                                   "document": "任命〔2026〕1号"});
                ok(&admin.post(&format!("/api/v1/accounts/{id}/fields"), &field), 201);
            }
        }
        let importer = json!({"name": "示范进口有限公司", "address": "示范路2号"});
        let applicant_id = text(&ok(&admin.post("/api/v1/applicants", &importer), 201), "id");
        Self { app, applicant_id }
    }

    fn person(&self, role: Role) -> Client {
        self.app.logged_in(&format!("{role}.sh"))
    }

    /// Everybody logged in anew: a session does not last for days.
    fn today(&self) -> World<'a> {
        World {
            app: self.app,
            admin: self.app.logged_in("admin"),
            receiver: self.person(Role::Receiver),
            analyst: self.person(Role::Analyst),
            reviewer: self.person(Role::Reviewer),
            quality: self.person(Role::Quality),
            signatory: self.person(Role::AuthorisedSignatory),
            applicant_id: self.applicant_id.clone(),
        }
    }
}

/// The clocks of a case: name → (from, due).
fn clocks(client: &Client, case: &str) -> BTreeMap<String, (String, String)> {
    let case = ok(&client.get(&format!("/api/v1/applications/{case}")), 200);
    let clocks = case["clocks"].as_array().expect("clocks");
    clocks.iter().map(|clock| (text(clock, "name"), (text(clock, "starts"), text(clock, "due")))).collect()
}

fn clock(name: &str, starts: &str, due: &str) -> (String, (String, String)) {
    (name.to_owned(), (starts.to_owned(), due.to_owned()))
}

/// What is refused, as status, code and field.
fn refusal(answer: &Answer) -> (u16, String, String) {
    let code = answer.problem();
    (answer.status, code, answer.json()["field"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str, field: &str) -> (u16, String, String) {
    (status, code.to_owned(), field.to_owned())
}

#[test]
fn an_imported_drug_from_its_notice_to_its_report() {
    on_both(|app| {
        let shanghai = Shanghai::new(app);
        at(app, 3, 16, 9);
        let world = shanghai.today();
        let product = world.product("IMP-1", "chemical", &["clinically_urgent"], &one_item("95.0~105.0"));

        // Friday 13 March the goods arrive, Monday 16 March the notice of testing is at the institute.
        let mut application = world.intake_body("port_entry", &product, "DP26017", 0)["application"].take();
        application["arrived_at_port_on"] = json!("2026-03-13");
        application["notice_received_on"] = json!("2026-03-16");
        application["particulars"] = json!({
            "import_registration": "国药准字HJ20269901", "notice_number": "SH-TZ-2026-0031",
            "contract_number": "HN-2026-017", "import_quantity": "1200 瓶", "port": "上海",
            "sampling_place": "浦东机场海关监管仓库", "sampling_packages": "3 件", "manufacturer_report": "CoA DP26017",
        });
        let submit = |change: Value| {
            let mut changed = application.clone();
            changed.as_object_mut().expect("an object").append(change.clone().as_object_mut().expect("changes"));
            world.receiver.post("/api/v1/applications", &changed)
        };
        assert_eq!(
            refusal(&submit(json!({"sampled_on": "2026-03-12"}))),
            refused(422, "invalid-field", "sampled_on"),
            "sampling lies before the arrival"
        );
        assert_eq!(
            refusal(&submit(json!({"notice_received_on": "2026-03-17"}))),
            refused(422, "invalid-field", "notice_received_on"),
            "the notice is dated tomorrow"
        );
        let drafted = ok(&submit(json!({})), 201);
        let case = text(&drafted, "application_id");
        assert_eq!((&drafted["state"], &drafted["application_number"]), (&json!("draft"), &json!("SHC20260001")));
        assert!(clocks(&world.receiver, &case).is_empty(), "no clock runs before acceptance");

        let accepted = ok(&world.receiver.post(&format!("/api/v1/applications/{case}/accept"), &json!({})), 200);
        let determination = &accepted["determination"];
        assert_eq!(determination["quantity_multiple"]["value"], 2, "SH-11b: 3 × down to 2 ×");
        assert!(determination["quantity_multiple"]["provisions"].to_string().contains("SH-11b"), "{determination}");
        assert_eq!(determination["lane"]["value"], "immediate", "SH-11d: clinically urgent, tested on receipt");
        // SH-11a: three working days after arrival are Monday 16, Tuesday 17 and Wednesday 18 March. Article 23: two
        // calendar days after the notice of 16 March. Nothing is sampled yet, so no report is due.
        let expected = BTreeMap::from([
            clock("port_sampling", "2026-03-13", "2026-03-18"),
            clock("port_contact", "2026-03-16", "2026-03-18"),
        ]);
        assert_eq!(clocks(&world.receiver, &case), expected);

        // On Tuesday the sampler is there. The dates are the sampler's to record, and only as they are.
        at(app, 3, 17, 11);
        let (world, sampler) = (shanghai.today(), shanghai.person(Role::PortSampler));
        let dates = |who: &Client, dates: Value| who.post(&format!("/api/v1/applications/{case}/dates"), &dates);
        for who in [&world.analyst, &world.reviewer, &world.quality, &world.signatory] {
            assert_eq!(dates(who, json!({"sampled_on": "2026-03-17"})).problem(), "forbidden");
        }
        assert_eq!(
            refusal(&dates(&sampler, json!({"sampled_on": "2026-03-18"}))),
            refused(422, "invalid-field", "sampled_on"),
            "it lies in the future"
        );
        assert_eq!(
            refusal(&dates(&sampler, json!({"sampled_on": "17/03/2026"}))),
            refused(422, "invalid-field", "sampled_on")
        );
        assert_eq!(clocks(&world.receiver, &case), expected, "what was refused started nothing");
        ok(&dates(&sampler, json!({"sampled_on": "2026-03-17"})), 200);
        // Article 26: 20 calendar days after 17 March is Monday 6 April, which is off (清明节, 4 to 6 April); Civil
        // Code 203 moves it to the next working day.
        let mut expected = expected;
        expected.extend([clock("port_report", "2026-03-17", "2026-04-07")]);
        assert_eq!(clocks(&world.receiver, &case), expected);
        let seen = ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200);
        let report = seen["clocks"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "port_report"));
        assert!(report.is_some_and(|one| one["provisions"].to_string().contains("IM-26")), "{seen}");
        // The same date once more changes nothing; another one does not overwrite it.
        ok(&dates(&sampler, json!({"sampled_on": "2026-03-17"})), 200);
        assert_eq!(
            refusal(&dates(&sampler, json!({"sampled_on": "2026-03-16"}))),
            refused(409, "conflict", "sampled_on")
        );
        assert_eq!(
            refusal(&dates(&sampler, json!({"arrived_at_port_on": "2026-03-14"}))),
            refused(409, "conflict", "arrived_at_port_on")
        );
        assert_eq!(clocks(&world.receiver, &case), expected);

        // In the afternoon the samples are at the institute: two containers are a full test, doubled.
        let receive = |containers: i64| {
            let sample =
                json!({"lot_number": "DP26017", "containers": containers, "temperature": "21.0", "packages": 3});
            world.receiver.post(&format!("/api/v1/applications/{case}/receipt"), &json!({"samples": [sample]}))
        };
        let short = receive(1);
        assert_eq!((short.status, short.problem().as_str()), (422, "quantity-short"));
        assert!(short.json()["provisions"].to_string().contains("SH-11b"), "{}", short.text);
        let taken = ok(&receive(6), 201);
        let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
        assert_eq!((number.as_str(), &taken["state"]), ("SH20260001", &json!("testing")));
        let queue = ok(&world.analyst.get(&format!("/api/v1/tasks?sample={number}")), 200);
        assert_eq!(
            (&queue["items"][0]["due"], &queue["items"][0]["lane_rank"]),
            (&json!("2026-04-07"), &json!(0)),
            "the bench works towards the report: {queue}"
        );

        at(app, 3, 18, 15);
        let world = shanghai.today();
        let entered = world.enter(&world.task(&number, "assay", "waiting"), "99.42");
        assert_eq!((&entered["result"]["reported"], &entered["result"]["verdict"]), (&json!("99.4"), &json!("pass")));
        world.approve_all();
        let issued = world.issue(&sample);
        assert_eq!(
            (&issued["number"], &issued["kind"], &issued["state"], &issued["conforms"]),
            (&json!("沪口检20260001"), &json!("import_report"), &json!("issued"), &json!(true))
        );
        let data = &issued["data"];
        for (field, printed) in [
            ("registration_number", "国药准字HJ20269901"),
            ("notice_number", "SH-TZ-2026-0031"),
            ("declarant", "示范进口有限公司"),
            ("port", "上海"),
            ("arrived_on", "2026年3月13日"),
        ] {
            assert_eq!(data["import"][field], printed, "{field}");
        }
        assert_eq!((&data["sampling"]["date"], &data["sample"]["lot"]), (&json!("2026年3月17日"), &json!("DP26017")));
        assert_eq!(data["institution"]["name"]["zh"], "上海示范药品检验所");
        signed_and_public(&world, &issued);
        let closed = ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200);
        assert_eq!(closed["application"]["state"], "reported");
    });
}

/// Anybody with the file or its code finds it issued and unchanged.
fn signed_and_public(world: &World, issued: &Value) {
    let pdf = world.signatory.get(&format!("/api/v1/certificates/{}/pdf", text(issued, "id")));
    assert!(pdf.bytes.starts_with(b"%PDF"), "{}", pdf.text);
    let public = world.app.client();
    let checked = ok(&public.send("POST", "/api/v1/verify", Some("application/pdf"), pdf.bytes), 200);
    assert_eq!((&checked["unchanged"], &checked["certificate"]["status"]), (&json!(true), &json!("issued")));
    let code = text(issued, "verification_code");
    assert_eq!(ok(&public.get(&format!("/api/v1/verify/{code}")), 200)["number"], issued["number"]);
}

/// A case that is taken in before anything of it is known: each clock starts with its date.
#[test]
fn every_clock_of_a_port_entry_waits_for_its_date() {
    on_both(|app| {
        let shanghai = Shanghai::new(app);
        // Thursday 2 April, two days before 清明节 (4 to 6 April).
        at(app, 4, 2, 9);
        let (world, sampler) = (shanghai.today(), shanghai.person(Role::PortSampler));
        let product = world.product("IMP-2", "chemical", &[], &one_item("95.0~105.0"));
        let taken = world.take_in("port_entry", &product, "DP26018", 2);
        let case = text(&taken, "application_id");
        assert!(clocks(&world.receiver, &case).is_empty(), "nothing has happened that starts a clock");
        let dates = |who: &Client, dates: Value| {
            ok(&who.post(&format!("/api/v1/applications/{case}/dates"), &dates), 200);
        };
        // Three working days after 1 April: 2, 3 and, behind the holiday, 7 April.
        dates(&sampler, json!({"arrived_at_port_on": "2026-04-01"}));
        let mut expected = BTreeMap::from([clock("port_sampling", "2026-04-01", "2026-04-07")]);
        assert_eq!(clocks(&sampler, &case), expected);
        // Two calendar days after 2 April end on Saturday 4 April: on the first working day behind the holiday.
        dates(&sampler, json!({"notice_received_on": "2026-04-02"}));
        expected.extend([clock("port_contact", "2026-04-02", "2026-04-07")]);
        assert_eq!(clocks(&sampler, &case), expected);
        // 20 calendar days after 3 April: Thursday 23 April.
        at(app, 4, 3, 16);
        let sampler = shanghai.person(Role::PortSampler);
        dates(&sampler, json!({"sampled_on": "2026-04-03"}));
        expected.extend([clock("port_report", "2026-04-03", "2026-04-23")]);
        assert_eq!(clocks(&sampler, &case), expected);
    });
}

/// A product that is a device, with an effective specification.
fn device(world: &World, code: &str, class: &str, traits: &[&str], items: &Value) -> String {
    let new = json!({
        "code": code, "name_zh": "示范导管", "name_en": "Specimen catheter", "category": "device",
        "device_class": class, "traits": traits, "strength": "6F", "dosage_form": "", "package_spec": "10 根/盒",
        "storage": "室温", "manufacturer": "示范器械有限公司", "holder": "示范器械有限公司",
        "container_name": "盒", "container_content": "10", "content_unit": "根",
    });
    let product = text(&ok(&world.quality.post("/api/v1/products", &new), 201), "id");
    let specification = json!({"product_id": product, "title": "产品技术要求", "edition": "2026", "items": items});
    let specification = text(&ok(&world.quality.post("/api/v1/specifications", &specification), 201), "id");
    let effective = format!("/api/v1/specifications/{specification}/effective");
    ok(&world.signatory.post(&effective, &json!({"effective_from": "2026-01-01"})), 200);
    product
}

#[test]
fn a_device_from_the_desk_to_its_report() {
    on_both(|app| {
        // Monday 2 March 2026 in Shanxi.
        let world = World::new(app);
        let items = json!([
            {"code": "appearance", "name_zh": "外观", "name_en": "Appearance", "method": "目视", "kind": "text",
             "limit": "应光滑、无毛刺", "compare_by": "text", "consumes": "5"},
            {"code": "force", "name_zh": "断裂力", "name_en": "Breaking force", "method": "YY 0285.1", "kind": "numeric",
             "unit": "N", "limit": "≥10", "compare_by": "rounded", "consumes": "10"},
        ]);
        let catheter = device(&world, "DEV-1", "III", &["innovative"], &items);
        let drug = world.product("P-1", "chemical", &[], &one_item("≥97.0"));

        // A case that contradicts itself is not determined.
        let unclassed = json!({"business": "device_registration", "jurisdiction": "CN-SX",
            "dates": {"accepted": "2026-03-02"}, "product": {"category": "device"}});
        let answer = world.receiver.post("/api/v1/regulation/determinations", &unclassed);
        assert_eq!((answer.status, &answer.json()["field"]), (422, &json!("product.device_class")), "{}", answer.text);

        // Each business takes its own products, and says by which provision it refuses the others.
        for (business, product, provision) in [
            ("device_registration", &drug, "DR-2"),
            ("drug_registration", &catheter, "R27-2"),
            ("port_entry", &catheter, "IM-2"),
        ] {
            let answer = world.receiver.post("/api/v1/intake", &world.intake_body(business, product, "A", 9));
            assert_eq!((answer.status, answer.problem().as_str()), (422, "refused-by-regulation"), "{business}");
            assert!(answer.json()["provisions"].to_string().contains(provision), "{business}: {}", answer.text);
        }

        // Fifteen pieces make a full test: two boxes. No provision asks for an amount of devices, so none is demanded, and
        // one lot is enough.
        let mut body = world.intake_body("device_registration", &catheter, "CAT-01", 1);
        body["application"]["pre_submission"] = json!(true);
        let preview = ok(&world.receiver.post("/api/v1/intake/preview", &body["application"]), 200);
        let demand = &preview["demand"];
        assert_eq!((&demand["full_test_containers"], &demand["required_containers"]), (&json!(2), &json!(0)));
        assert_eq!((&demand["multiple"], &demand["computation_zh"]), (&Value::Null, &json!("")), "{demand}");
        body["receipt"]["samples"][0]["containers"] = json!(2);
        let taken = ok(&world.receiver.post("/api/v1/intake", &body), 201);
        let determination = &taken["determination"];
        assert_eq!(
            (&determination["quantity_multiple"]["value"], &determination["batches"]["value"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(determination["lane"]["value"], "green_channel", "SX-11c: innovative devices");
        assert!(determination["lane"]["provisions"].to_string().contains("SX-11c"), "{determination}");
        // SX-11e: twenty working days from acceptance. Of March they are 3 to 6, 9 to 13, 16 to 20, 23 to 27, and 30.
        let case = text(&taken, "application_id");
        assert_eq!(clocks(&world.receiver, &case), BTreeMap::from([clock("testing", "2026-03-02", "2026-03-30")]));
        let listed = ok(&world.receiver.get("/api/v1/applications?business=device_registration"), 200);
        assert_eq!((&listed["total"], &listed["items"][0]["due"]), (&json!(1), &json!("2026-03-30")), "{listed}");
        let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));

        // One finding in words and one in figures; then a report, by three people.
        let appearance = world.task(&number, "appearance", "waiting");
        let entry = json!({"readings": [{"name": "x", "raw": "光滑，无毛刺"}], "conforms": true});
        ok(&world.analyst.post(&format!("/api/v1/tasks/{appearance}/entry"), &entry), 201);
        let force = world.task(&number, "force", "waiting");
        assert_eq!(world.enter(&force, "14.6")["result"]["reported"], "15");
        let early = world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample}));
        assert_eq!(early.problem(), "results-missing");
        world.approve_all();
        let issued = world.issue(&sample);
        assert_eq!(
            (&issued["number"], &issued["kind"], &issued["conforms"]),
            (&json!("晋检20260001"), &json!("test_report"), &json!(true))
        );
        let data = &issued["data"];
        assert!(data["import"].is_null() && data["sampling"].is_null() && data["release"].is_null(), "{data}");
        assert_eq!((&data["sample"]["name"]["zh"], &data["sample"]["quantity"]), (&json!("示范导管"), &json!("2 盒")));
        signed_and_public(&world, &issued);
        let closed = ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200);
        assert_eq!(closed["application"]["state"], "reported");
    });
}

/// The laboratory's clock of a port entry is another one than that of a registration.
#[test]
fn the_list_says_when_a_port_entry_is_due() {
    on_both(|app| {
        let shanghai = Shanghai::new(app);
        at(app, 3, 17, 11);
        let (world, sampler) = (shanghai.today(), shanghai.person(Role::PortSampler));
        let product = world.product("IMP-3", "chemical", &[], &one_item("95.0~105.0"));
        let case = text(&world.take_in("port_entry", &product, "DP26019", 2), "application_id");
        let dates = json!({"arrived_at_port_on": "2026-03-13", "sampled_on": "2026-03-17"});
        ok(&sampler.post(&format!("/api/v1/applications/{case}/dates"), &dates), 200);
        let listed = ok(&world.receiver.get("/api/v1/applications?business=port_entry"), 200);
        assert_eq!(listed["items"][0]["due"], "2026-04-07", "{listed}");
    });
}

/// Sampling before arrival is refused at the desk, and no less when it is recorded later.
#[test]
fn later_dates_keep_their_order() {
    on_both(|app| {
        let shanghai = Shanghai::new(app);
        at(app, 3, 17, 11);
        let (world, sampler) = (shanghai.today(), shanghai.person(Role::PortSampler));
        let product = world.product("IMP-3", "chemical", &[], &one_item("95.0~105.0"));
        let mut body = world.intake_body("port_entry", &product, "DP26019", 2);
        body["application"]["arrived_at_port_on"] = json!("2026-03-13");
        let case = text(&ok(&world.receiver.post("/api/v1/intake", &body), 201), "application_id");
        let early = sampler.post(&format!("/api/v1/applications/{case}/dates"), &json!({"sampled_on": "2026-03-12"}));
        assert_eq!(refusal(&early), refused(422, "invalid-field", "sampled_on"));
    });
}

/// The tests of a sample that was received before its date of sampling was recorded get their due date with it.
#[test]
fn tasks_follow_the_date_of_sampling() {
    on_both(|app| {
        let shanghai = Shanghai::new(app);
        at(app, 3, 17, 11);
        let (world, sampler) = (shanghai.today(), shanghai.person(Role::PortSampler));
        let product = world.product("IMP-3", "chemical", &[], &one_item("95.0~105.0"));
        let taken = world.take_in("port_entry", &product, "DP26019", 2);
        let (case, number) = (text(&taken, "application_id"), text(&taken["samples"][0], "number"));
        ok(&sampler.post(&format!("/api/v1/applications/{case}/dates"), &json!({"sampled_on": "2026-03-17"})), 200);
        let queue = ok(&world.analyst.get(&format!("/api/v1/tasks?sample={number}")), 200);
        assert_eq!(queue["items"][0]["due"], "2026-04-07", "{queue}");
    });
}

/// A case that was voided starts no clocks.
#[test]
fn a_voided_case_takes_no_dates() {
    on_both(|app| {
        let shanghai = Shanghai::new(app);
        at(app, 3, 17, 11);
        let (world, sampler) = (shanghai.today(), shanghai.person(Role::PortSampler));
        let product = world.product("IMP-3", "chemical", &[], &one_item("95.0~105.0"));
        let case = text(&world.take_in("port_entry", &product, "DP26019", 2), "application_id");
        let void = json!({"reason": "录入错误"});
        assert_eq!(world.quality.post(&format!("/api/v1/applications/{case}/void"), &void).status, 204);
        let late = sampler.post(&format!("/api/v1/applications/{case}/dates"), &json!({"sampled_on": "2026-03-17"}));
        assert_eq!((late.status, late.problem().as_str()), (409, "wrong-state"));
        assert!(clocks(&world.receiver, &case).is_empty());
    });
}

/// The page and the API ask for the same permission.
#[test]
fn the_sampler_records_the_dates_on_the_page_too() {
    on_both(|app| {
        let shanghai = Shanghai::new(app);
        at(app, 3, 17, 11);
        let world = shanghai.today();
        let product = world.product("IMP-3", "chemical", &[], &one_item("95.0~105.0"));
        let case = text(&world.take_in("port_entry", &product, "DP26019", 2), "application_id");
        let page = format!("/cases/{case}");
        let sampler = Browser::logged_in(app, "port_sampler.sh");
        assert!(sampler.page(&page).contains(&format!("action=\"{page}/dates\"")), "the form is there");
        let sent = sampler.form(&format!("{page}/dates"), &[("sampled_on", "2026-03-17")]);
        assert_eq!(sent.status, 303, "{}", sent.text);
        assert!(sampler.page(&page).contains("2026-04-07"));
    });
}

#[test]
fn samples_of_the_port_come_with_its_dates_or_with_a_word_about_them() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("IMP-5", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
        let mut body = world.intake_body("port_entry", &product, "DP26021", 2);
        body["receipt"]["samples"][0]["note"] = json!("");
        let intake = |body: &Value| world.receiver.post("/api/v1/intake", body);
        let asked = intake(&body);
        assert_eq!(refusal(&asked), refused(422, "invalid-field", "receipt.samples[0].note"));
        assert!(asked.text.contains("未填到港日期；未填抽样日期"), "{}", asked.text);
        body["application"]["arrived_at_port_on"] = json!("2026-03-02");
        let asked = intake(&body);
        assert!(asked.status == 422 && !asked.text.contains("到港日期"), "{}", asked.text);
        // The same lot of another line is not asked for them.
        let mut other = world.intake_body("drug_registration", &product, "DP26021", 2);
        other["receipt"]["samples"][0]["note"] = json!("");
        ok(&intake(&other), 201);
        body["application"]["sampled_on"] = json!("2026-03-02");
        body["application"]["batches"][0]["despite_duplicate"] = json!("另有注册检验");
        ok(&intake(&body), 201);
    });
}
