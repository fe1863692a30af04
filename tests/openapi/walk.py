"""Walks one lot from the log-in to the verified certificate with a client that was generated from the API's document,
and holds every answer on the way against that document.

    walk.py BASE DOCUMENT PASSWORD

Only generated functions and models are used: what they cannot say, the document does not say.
"""

import copy
import datetime
import io
import json
import re
import sys

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from qianfa_client import AuthenticatedClient, Client, models
from qianfa_client.api import (
    accounts,
    applicant,
    audit,
    catalogue,
    certificates,
    custody,
    intake,
    instruments,
    regulation,
    session,
    testing,
    verification,
)
from qianfa_client.types import File, Unset


def call(package, operation):
    """The generated function of an operation."""
    return __import__(f"{package.__name__}.{operation}", fromlist=["sync_detailed"]).sync_detailed


class Document:
    """The API's document, as a judge of answers."""

    def __init__(self, document):
        self.paths = [(re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), path) for path in document["paths"]]
        # A path without parameters goes before one that would match it too.
        self.paths.sort(key=lambda pair: pair[1].count("{"))
        self.document = strict(document)
        contents = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self.registry = Registry().with_resource("urn:document", contents)
        self.seen = set()

    def judge(self, response):
        """Refuses an answer that the document does not foresee."""
        response.read()
        request = response.request
        path = next(path for pattern, path in self.paths if pattern.match(request.url.path))
        operation = self.document["paths"][path][request.method.lower()]
        where = f"{operation['operationId']} {response.status_code}"
        answers = operation["responses"]
        assert str(response.status_code) in answers or response.status_code >= 400, f"{where} is not described"
        answer = answers.get(str(response.status_code), answers["default"])
        if "$ref" in answer:
            answer = self.document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        told = response.headers.get("content-type", "").split(";")[0]
        if not response.content:
            assert "content" not in answer, f"{where}: there is no content"
            return
        assert told in answer.get("content", {}), f"{where}: {told} is not described"
        self.seen.add(operation["operationId"])
        if not told.endswith("json"):
            return
        schema = relocated(answer["content"][told]["schema"])
        errors = list(Draft202012Validator(schema, registry=self.registry).iter_errors(response.json()))
        assert not errors, f"{where}: " + "; ".join(f"{error.json_path}: {error.message[:300]}" for error in errors[:5])


def strict(document):
    """The document with every object closed, so that a field that it does not name is a fault."""
    document = copy.deepcopy(document)
    schemas = document["components"]["schemas"]
    parts = {part["$ref"].rsplit("/", 1)[1] for schema in schemas.values() for part in schema.get("allOf", []) if "$ref" in part}
    for name, schema in schemas.items():
        if name not in parts and ("properties" in schema or "allOf" in schema):
            schema["unevaluatedProperties"] = False
    return document


def relocated(schema):
    """A schema of the document with references that hold outside it."""
    if isinstance(schema, dict):
        return {
            key: f"urn:document{value}" if key == "$ref" else relocated(value) for key, value in schema.items()
        }
    return [relocated(part) for part in schema] if isinstance(schema, list) else schema


class Walk:
    def __init__(self, base, document, password):
        self.base, self.password = base, password
        self.document = Document(document)
        self.hooks = {"event_hooks": {"response": [self.document.judge]}}
        self.public = Client(base, httpx_args=self.hooks)

    def done(self, status, package, operation, *args, **kwargs):
        """Calls an operation that must come out with this status: what it answers."""
        response = call(package, operation)(*args, **kwargs)
        assert response.status_code == status, f"{operation}: {response.status_code} {response.content.decode()[:2000]}"
        return response.parsed

    def log_in(self, username):
        login = models.Login(username=username, password=self.password)
        found = self.done(200, session, "post_session", client=self.public, body=login)
        return AuthenticatedClient(self.base, token=found.access_token, httpx_args=self.hooks), found

    def person(self, admin, institute, role):
        new = models.CreateAccount(
            username=role, display_name=role, password=self.password, institute=institute, roles=[models.Role(role)]
        )
        made = self.done(201, accounts, "post_accounts", client=admin, body=new)
        assert made.roles == [role] and made.disabled is False
        if role == "authorised_signatory":
            field = models.AppointSignatory(
                business=models.Business.DRUG_REGISTRATION, valid_from="2026-01-01", document="任命〔2026〕1号"
            )
            self.done(201, accounts, "post_accounts_by_id_fields", made.id, client=admin, body=field)
            held = self.done(200, accounts, "get_accounts_by_id_fields", made.id, client=admin)
            assert [one.business for one in held] == ["drug_registration"], held
        return self.log_in(role)[0]

    def run(self):
        # Who is wrong is told in a problem document, which has a type too.
        wrong = models.Login(username="admin", password="wrong")
        refused = self.done(401, session, "post_session", client=self.public, body=wrong)
        assert isinstance(refused, models.ProblemDocument) and refused.code == "bad-credentials", refused

        admin, found = self.log_in("admin")
        self.institute = institute = found.account.institute
        roles = ["receiver", "analyst", "reviewer", "quality", "authorised_signatory"]
        receiver, analyst, reviewer, quality, signatory = (self.person(admin, institute, role) for role in roles)

        product = self.product(admin, quality, signatory)
        applicant_id = self.applicant.id
        taken = self.taken_in(receiver, applicant_id, product)
        sample = taken.samples[0]
        self.tested(analyst, reviewer, quality, sample)
        self.file(analyst)
        issued = self.certified(reviewer, quality, signatory, sample)
        self.verified(receiver, issued)
        self.looked_up(admin, receiver, quality, applicant_id, taken, issued)

    def product(self, admin, quality, signatory):
        new = models.NewApplicant(name="示范申请人有限公司", address="示范路1号")
        self.applicant = self.done(201, catalogue, "post_applicants", client=admin, body=new)
        new = models.NewProduct(
            code="P", name_zh="示范品", name_en="Specimen", category=models.Category.CHEMICAL,
            traits=[models.Trait.RARE_DISEASE],
            strength="10 mg", dosage_form="片剂", package_spec="10 片/瓶", storage="室温",
            manufacturer="示范制药有限公司", holder="示范制药有限公司",
            container_name="瓶", container_content="10", content_unit="片",
        )
        product = self.done(201, catalogue, "post_products", client=quality, body=new)
        assert product.category == models.Category.CHEMICAL
        items = [
            models.NewItem(
                code="description", name_zh="性状", name_en="Description", method="目视", kind=models.ItemKind.TEXT,
                limit="白色粉末", compare_by=models.Comparison.TEXT, consumes="0",
            ),
            models.NewItem(
                code="assay", name_zh="含量测定", name_en="Assay", method="通则0512", kind=models.ItemKind.NUMERIC,
                unit="%", limit="≥97.0", compare_by=models.Comparison.ROUNDED, consumes="10",
            ),
        ]
        new = models.NewSpecification(product_id=product.id, title="《示范标准》", edition="2026", items=items)
        draft = self.done(201, catalogue, "post_specifications", client=quality, body=new)
        since = models.Effective(effective_from="2026-01-01")
        effective = self.done(200, catalogue, "post_specifications_by_id_effective", draft.id, client=signatory, body=since)
        assert effective.status == "effective", effective
        listed = self.done(200, catalogue, "get_products", client=quality, limit=10)
        assert [one.id for one in listed.items] == [product.id] and listed.total == 1
        versions = self.done(200, catalogue, "get_products_by_id_specifications", product.id, client=quality)
        assert [item.code for item in versions[0].items] == ["description", "assay"]
        return product.id

    def taken_in(self, receiver, applicant_id, product):
        self.application = models.NewApplication(
            business=models.Business.DRUG_REGISTRATION,
            applicant_id=applicant_id,
            product_id=product,
            batches=[models.NewBatch(lot_number="A", expires_on="2028-12-31")],
        )

        def arrived(containers):
            sample = models.NewSample(lot_number="A", containers=containers, temperature="5.0")
            return models.TakeIn(application=self.application, receipt=models.Receipt(samples=[sample]))

        asked = self.done(200, intake, "post_intake_preview", client=receiver, body=self.application)
        assert asked.determination.quantity_multiple.value == asked.demand.multiple and asked.refusal is None, asked
        short = self.done(422, intake, "post_intake", client=receiver, body=arrived(1))
        assert short.code == "quantity-short" and short.provisions, short
        key = {"idempotency_key": "walk-1"}
        taken = self.done(201, intake, "post_intake", client=receiver, body=arrived(2), **key)
        again = self.done(201, intake, "post_intake", client=receiver, body=arrived(2), **key)
        assert taken.application_number == again.application_number
        assert taken.samples[0].number == "SX20260001" and len(taken.samples[0].containers) == 2
        return taken

    def task(self, analyst, sample, item, state):
        listed = self.done(200, testing, "get_tasks", client=analyst, sample=sample.number, item=item, state=state)
        assert listed.total == 1, listed
        return listed.items[0].task_id

    def tested(self, analyst, reviewer, quality, sample):
        assay = self.task(analyst, sample, "assay", "waiting")
        started = self.done(200, testing, "post_tasks_by_id_start", assay, client=analyst)
        assert started.state == models.TaskState.IN_PROGRESS
        entry = models.EnterReadings(readings=[models.NewReading(name="x", raw="98.46")], reagents="试剂 A 批号 1")
        entered = self.done(201, testing, "post_tasks_by_id_entry", assay, client=analyst, body=entry)
        assert (entered.result.reported, entered.result.verdict) == ("98.5", "pass"), entered
        lines = [
            models.WorksheetLine(
                task_id=self.task(analyst, sample, "description", "waiting"),
                entry=models.TaskEntry(readings=[models.NewReading(name="x", raw="白色粉末")], conforms=True),
            ),
            models.WorksheetLine(task_id="no-such-task", entry=models.TaskEntry(readings=[])),
        ]
        sheet = models.EnterWorksheet(lines=lines)
        good, bad = self.done(200, testing, "post_worksheets_entry", client=analyst, body=sheet)
        assert good.refusal is None and bad.refusal.code == "not-found", (good, bad)
        waiting = self.done(200, testing, "get_reviews", client=reviewer)
        assert waiting.total == 2
        for row in waiting.items:
            verdict = models.ReviewResult(outcome=models.ReviewOutcome.APPROVED)
            after = self.done(200, testing, "post_results_by_id_review", row.result.id, client=reviewer, body=verdict)
            assert after.state == "reviewed"
        seen = self.done(200, testing, "get_tasks_by_id", assay, client=analyst)
        assert [reading.raw for reading in seen.readings] == ["98.46"] and seen.results[0].reviewer == "reviewer"
        found = self.done(200, custody, "get_samples_by_code", sample.containers[0], client=analyst)
        assert found.sample.number == sample.number and len(found.tasks) == 2
        record = self.done(200, testing, "get_samples_by_id_raw_record", sample.id, client=quality)
        assert record.payload.read(4) == b"%PDF"

    def file(self, analyst):
        unread = File(payload=io.BytesIO(b"hello, this is no instrument"))
        taken = self.done(201, instruments, "post_instrument_files", client=analyst, body=unread, name="notes.txt")
        assert taken.file.state == "unread", taken
        because = models.RejectFile(reason="不是仪器文件")
        self.done(204, instruments, "post_instrument_files_by_id_reject", taken.file.id, client=analyst, body=because)
        part = File(payload=io.BytesIO(b"another"), file_name="other.txt", mime_type="text/plain")
        pair = models.FileSet(file=[part])
        answers = self.done(200, instruments, "post_instrument_file_sets", client=analyst, body=pair)
        assert [one.name for one in answers] == ["other.txt"], answers
        listed = self.done(200, instruments, "get_instrument_files", client=analyst)
        assert {row.name for row in listed.items} >= {"notes.txt"}, listed

    def certified(self, reviewer, quality, signatory, sample):
        draft = models.DraftCertificate(sample_id=sample.id)
        drafted = self.done(201, certificates, "post_certificates", client=reviewer, body=draft)
        assert drafted.number is None and drafted.data.conclusion.verdict == models.CertificateVerdict.PASS
        seen = models.ReviewCertificate(password=self.password)
        reviewed = self.done(200, certificates, "post_certificates_by_id_review", drafted.id, client=quality, body=seen)
        assert reviewed.number == "晋检20260001"
        sign = models.SignCertificate(password=self.password, meaning=models.IssueMeaning("授权签发"))
        issued = self.done(200, certificates, "post_certificates_by_id_sign", drafted.id, client=signatory, body=sign)
        assert issued.state == "issued" and issued.data.results[1].result == "98.5", issued
        return issued

    def verified(self, receiver, issued):
        status = self.done(200, verification, "get_verify_by_code", issued.verification_code, client=self.public)
        assert status.number == issued.number
        pdf = self.done(200, certificates, "get_certificates_by_id_pdf", issued.id, client=receiver)
        body = File(payload=io.BytesIO(pdf.payload.read()))
        checked = self.done(200, verification, "post_verify", client=self.public, body=body)
        assert checked.unchanged is True and checked.certificate.status == "issued", checked

    def looked_up(self, admin, receiver, quality, applicant_id, taken, issued):
        case = self.done(200, intake, "get_applications_by_id", taken.application_id, client=receiver)
        assert case.application.state == models.CaseState.REPORTED and case.applicant.id == applicant_id
        assert isinstance(case.application.created_at, datetime.datetime)
        assert case.determination.clocks[0].due == case.clocks[0].due
        cases = self.done(200, intake, "get_applications", client=receiver, state=models.CaseState.REPORTED)
        assert [one.id for one in cases.items] == [taken.application_id]
        listed = self.done(200, certificates, "get_certificates", client=receiver, number=issued.number)
        assert listed.items[0].id == issued.id
        new = models.CreateAccount(
            username="theirs", display_name="申请人", password=self.password, applicant=applicant_id,
            roles=[models.Role.APPLICANT],
        )
        self.done(201, accounts, "post_accounts", client=admin, body=new)
        theirs, _ = self.log_in("theirs")
        own = self.done(200, applicant, "get_my_applications", client=theirs)
        assert own.total == 1
        self.returned(receiver, quality, taken.samples[0])
        self.ended(receiver, quality, theirs)
        rules = self.done(200, regulation, "get_regulation_provisions", client=receiver, on="2026-03-02")
        assert any(rule.id == "SX-12" for rule in rules)
        due = self.done(200, regulation, "get_calendar_due", client=receiver, from_="2026-03-02", working_days=5)
        assert due.due == "2026-03-09", due
        trail = self.done(200, audit, "get_audit", client=quality, limit=200)
        assert any(entry.action == "certificate.sign" for entry in trail.entries), trail
        for client in (admin, quality, receiver):
            self.every_list(client)
        self.done(204, session, "delete_session", client=receiver)
        self.done(401, session, "get_session", client=receiver)

    def returned(self, receiver, quality, sample):
        back = models.ReturnContainers(from_=models.Place.RETENTION, quantity=1, reason="申请人取回")
        moved = self.done(201, custody, "post_samples_by_id_return", sample.id, client=receiver, body=back)
        assert (moved.from_, moved.to, moved.quantity) == ("retention", "returned", 1), moved
        # What is not there cannot be destroyed, and that refusal has a type too.
        rest = models.DestroyContainers(from_=models.Place.RETENTION, quantity=moved.left + 1, reason="示范")
        refused = self.done(422, custody, "post_samples_by_id_destroy", sample.id, client=quality, body=rest)
        assert isinstance(refused, models.ProblemDocument), refused

    def ended(self, receiver, quality, theirs):
        """Each way in which a case ends before its report."""
        ends = [
            ("refuse", models.RefuseCase, receiver, "refused"),
            ("withdraw", models.WithdrawCase, receiver, "withdrawn"),
            ("void", models.VoidCase, quality, "voided"),
        ]
        for way, model, client, state in ends:
            draft = self.done(201, intake, "post_applications", client=receiver, body=self.application)
            operation, body = f"post_applications_by_id_{way}", model(reason="示范")
            self.done(204, intake, operation, draft.application_id, client=client, body=body)
            case = self.done(200, intake, "get_applications_by_id", draft.application_id, client=receiver)
            assert case.application.state == state, case
        # An applicant names the institute, not itself.
        names = {"applicant_id": None, "institute_id": self.institute}
        own = models.NewApplication.from_dict({**self.application.to_dict(), **names})
        draft = self.done(201, applicant, "post_my_applications", client=theirs, body=own)
        body, id = models.WithdrawOwnCase(reason="示范"), draft.application_id
        self.done(204, applicant, "post_my_applications_by_id_withdraw", id, client=theirs, body=body)

    def every_list(self, client):
        """Reads whatever can be read without knowing an id or a code, to have its answer judged."""
        for item in self.document.document["paths"].values():
            operation = item.get("get", {"parameters": [{"required": True}]})
            if not any(parameter["required"] for parameter in operation.get("parameters", [])):
                package = __import__(f"qianfa_client.api.{operation['tags'][0]}", fromlist=["api"])
                response = call(package, operation["operationId"])(client=client)
                assert response.status_code in (200, 403), f"{operation['operationId']}: {response.status_code}"


if __name__ == "__main__":
    base, path, password = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        walk = Walk(base, json.load(file), password)
    walk.run()
    print(f"{len(walk.document.seen)} operations")
