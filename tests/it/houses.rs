//! Two institutes in one installation: what each names, who makes them, and what they share.

use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::{PASSWORD, on_both, text};
use crate::world::ok;

#[test]
fn what_is_typed_at_one_desk_blocks_no_other() {
    on_both(|app| {
        let world = crate::world::World::new(app);
        let houses_product = world.product("P-1", "chemical", &["rare_disease"], &crate::world::one_item("≥97.0"));
        let admin = app.second_institute();
        let client = app.logged_in("admin.hb");
        let institute = admin.institute.expect("an institute");
        let person = json!({"username": "everything.hb", "display_name": "x", "password": PASSWORD, "institute": institute,
                            "roles": ["receiver", "quality", "analyst"]});
        ok(&client.post("/api/v1/accounts", &person), 201);
        let other = app.logged_in("everything.hb");
        let second = json!({"username": "releaser.hb", "display_name": "x", "password": PASSWORD, "institute": institute,
                            "roles": ["quality"]});
        ok(&client.post("/api/v1/accounts", &second), 201);
        // The same applicant, the same product code, the same label: each is its institute's own.
        let applicant = text(&ok(&other.post("/api/v1/applicants", &json!({"name": "示范申请人有限公司"})), 201), "id");
        let world = crate::world::World {
            quality: app.logged_in("everything.hb"),
            signatory: app.logged_in("releaser.hb"),
            ..world
        };
        let product = world.product("P-1", "chemical", &["rare_disease"], &crate::world::one_item("≥97.0"));
        assert_eq!(other.post("/api/v1/applicants", &json!({"name": "示范申请人有限公司"})).status, 409);
        let form = |applicant: &str, product: &str| {
            json!({"application": {"business": "drug_registration", "applicant_id": applicant, "product_id": product,
                                   "batches": [{"lot_number": "A", "expires_on": "2028-12-31"}]},
                   "receipt": {"samples": [{"lot_number": "A", "containers": ["L-1", "L-2"], "temperature": "5.0"}]}})
        };
        let ours = ok(&world.receiver.post("/api/v1/intake", &form(&world.applicant_id, &houses_product)), 201);
        // It is the same lot of the same product: seen across the wall, and taken with a reason.
        let mut known = form(&applicant, &product);
        assert_eq!(other.post("/api/v1/intake", &known).status, 422);
        known["application"]["batches"][0]["despite_duplicate"] = json!("另一申报");
        let theirs = ok(&other.post("/api/v1/intake", &known), 201);
        // The prefix SXC begins a series of its own, beside the applications of SX.
        assert_eq!(
            (text(&ours, "application_number"), text(&theirs, "application_number")),
            ("SXC20260001".into(), "SXCC20260001".into())
        );
        let number = |taken: &Value| text(&taken["samples"][0], "number");
        assert_eq!((number(&ours), number(&theirs)), ("SX20260001".into(), "SXC20260001".into()));
        let again = ok(
            &world.receiver.post("/api/v1/applications", &form(&world.applicant_id, &houses_product)["application"]),
            201,
        );
        assert_eq!(text(&again, "application_number"), "SXC20260002", "no number of SX was taken by SXC");
        // A code is looked for in the own house.
        let found = |client: &Client| ok(&client.get("/api/v1/samples/by-code/L-1"), 200)["sample"]["number"].clone();
        assert_eq!((found(&world.receiver), found(&other)), (json!(number(&ours)), json!(number(&theirs))));
    });
}

#[test]
fn the_installation_makes_institutes_and_has_no_say_in_them() {
    on_both(|app| {
        let admin = app.logged_in("admin");
        app.second_institute();
        let theirs = app.logged_in("admin.hb");
        let listed = |client: &Client| -> Vec<String> {
            let part = ok(&client.get("/api/v1/accounts"), 200);
            part["items"].as_array().expect("a list").iter().map(|one| text(one, "username")).collect()
        };
        assert_eq!((listed(&admin), listed(&theirs)), (vec!["admin".to_owned()], vec!["admin.hb".to_owned()]));
        // Once: afterwards it is the institute's own matter.
        let institute = text(&ok(&theirs.get("/api/v1/session"), 200), "institute");
        let again = json!({"username": "admin.hb2", "display_name": "x", "password": PASSWORD});
        let path = format!("/api/v1/institutes/{institute}/administrator");
        assert_eq!(admin.post(&path, &again).status, 409);
        assert_eq!(theirs.post(&path, &again).problem(), "forbidden");
        // Nobody changes the own roles, and the installation's role is given by who has it.
        let own = ok(&admin.get("/api/v1/accounts"), 200)["items"][0].clone();
        let roles = |client: &Client, id: &str, roles: &[&str]| {
            client.put(&format!("/api/v1/accounts/{id}/roles"), &json!({"roles": roles, "reason": "x"}))
        };
        let refused = roles(&admin, &text(&own, "id"), &["administrator", "signatory"]);
        assert!(refused.status >= 400, "{}", refused.text);
        let refused = roles(&admin, &text(&own, "id"), &["administrator", "authorised_signatory"]);
        assert_eq!(refused.problem(), "forbidden", "{}", refused.text);
        let new = json!({"username": "helper", "display_name": "x", "password": PASSWORD, "institute": institute,
                         "roles": ["analyst"]});
        let helper = text(&ok(&theirs.post("/api/v1/accounts", &new), 201), "id");
        assert_eq!(roles(&theirs, &helper, &["analyst", "installation"]).problem(), "forbidden");
        assert_eq!(roles(&admin, &helper, &["analyst"]).status, 404);
        // The trail: each its own.
        let actions = |client: &Client| ok(&client.get("/api/v1/audit"), 200).to_string();
        assert!(actions(&theirs).contains("helper") && !actions(&admin).contains("helper"));
        assert!(!actions(&theirs).contains("SXIDC"));
    });
}

/// What is shared takes two people of the institute that keeps the catalogue, and no other institute changes it.
#[test]
fn the_shared_catalogue_is_changed_by_two_people_of_its_keeper() {
    on_both(|app| {
        let world = crate::world::World::new(app);
        app.account("quality2", &[Role::Quality]);
        let (first, second) = (&world.quality, app.logged_in("quality2"));
        app.second_institute();
        let theirs = app.logged_in("admin.hb");
        let item = crate::world::one_item("≥97.0");
        let product = world.product("P-1", "chemical", &["rare_disease"], &item);
        let propose = json!({"product_id": product, "reason": "全国共用"});
        let seen = |client: &Client| client.get(&format!("/api/v1/products/{product}")).status;
        assert_eq!(first.post("/api/v1/owner-proposals", &propose).problem(), "conflict", "nobody keeps it yet");
        crate::forms::keeper(app);
        let proposal = text(&ok(&first.post("/api/v1/owner-proposals", &propose), 201), "id");
        let confirm = format!("/api/v1/owner-proposals/{proposal}/confirm");
        assert_eq!(first.post(&confirm, &json!({})).problem(), "self-review");
        assert_eq!((seen(first), seen(&theirs)), (200, 404), "nothing is shared by one person");
        ok(&second.post(&confirm, &json!({})), 200);
        assert_eq!((seen(first), seen(&theirs)), (200, 200));
        assert_eq!(second.post(&confirm, &json!({})).problem(), "conflict");
        // Its specifications: drafted by one of the keeper, released by another; by nobody else.
        let draft = json!({"product_id": product, "title": "《示范标准》", "edition": "2027", "items": item});
        let id = text(&ok(&first.post("/api/v1/specifications", &draft), 201), "id");
        let release = format!("/api/v1/specifications/{id}/effective");
        let from = json!({"effective_from": "2026-03-02"});
        assert_eq!(first.post(&release, &from).problem(), "self-review");
        let admin_hb = ok(&theirs.get("/api/v1/session"), 200);
        let other = json!({"username": "quality.hb", "display_name": "x", "password": PASSWORD, "roles": ["quality"],
                           "institute": admin_hb["institute"]});
        ok(&theirs.post("/api/v1/accounts", &other), 201);
        let stranger = app.logged_in("quality.hb");
        assert_eq!(stranger.post(&release, &from).problem(), "conflict");
        assert_eq!(stranger.post("/api/v1/specifications", &draft).problem(), "conflict");
        ok(&second.post(&release, &from), 200);
    });
}

/// An administrator's account of a house with many: the list goes on by cursor.
#[test]
fn accounts_and_authorisations_are_lists_by_cursor() {
    on_both(|app| {
        for nth in 0..5 {
            app.account(&format!("person{nth}"), &[Role::Quality]);
        }
        let admin = app.logged_in("admin");
        let quality = app.logged_in("person0");
        for nth in 1..6 {
            let grant = json!({"institute_id": app.institute, "category": "vaccine", "document": format!("文件{nth}"),
                               "valid_from": format!("2026-01-0{nth}")});
            ok(&quality.post("/api/v1/authorisations", &grant), 201);
        }
        for (client, path, field) in
            [(&admin, "/api/v1/accounts", "username"), (&quality, "/api/v1/authorisations", "valid_from")]
        {
            let all = ok(&client.get(path), 200);
            let of = |part: &Value| -> Vec<String> {
                part["items"].as_array().expect("a list").iter().map(|one| text(one, field)).collect()
            };
            let (mut walked, mut after) = (Vec::new(), String::new());
            loop {
                let part = ok(&client.get(&format!("{path}?limit=2{after}")), 200);
                walked.extend(of(&part));
                let Some(next) = part["next"].as_str() else { break };
                after = format!("&after={next}");
            }
            assert_eq!(walked, of(&all), "{path}");
            assert_eq!(all["total"], walked.len(), "{path}");
            assert_eq!(client.get(&format!("{path}?after=x&offset=20000")).status, 422);
        }
    });
}
