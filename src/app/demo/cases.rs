//! The three cases, from the desk to the signed certificate.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::files::{DemoFile, DemoFiles, Picked};
use super::laboratory::{Laboratory, PASSWORD, Staff};
use super::{DemoError, at, file_error, tell};
use crate::action::{Services, act};
use crate::bench::{
    CheckImport, CheckLaboratory, ConfirmFailure, EnterReadings, NewReading, PointAnswer, ReviewResult, Source,
    TaskEntry,
};
use crate::cases::{
    AcceptCase, NewApplication, NewBatch, NewContainers, NewSample, Particulars, Receipt, ReceiveSamples, RecordDates,
    SubmitCase, TakeIn, Taken,
};
use crate::certificates::{DraftCertificate, ReviewCertificate, ReviewProtocol, SignCertificate};
use crate::clock::Clock;
use crate::instruments::{self, AcceptFile, MatchName, NamedFile, Wanted};
use crate::regulation::failing::FailingWord;
use crate::secrets::Password;
use crate::store::Failure;
use crate::store::columns::{InstrumentFileId, ObservationId};
use crate::store::views::{self, QueueFilter, QueueRow, ReviewFilter};
use crate::text::{TypedDate, TypedDecimal};
use crate::vocabulary::instruments::ProblemSeverity;
use crate::vocabulary::{
    Business, CheckFinding, CheckOutcome, IssueMeaning, ProtocolOutcome, Purpose, ReviewOutcome, TaskState,
};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// The demonstration while it is played.
pub(super) struct Story<'a> {
    pub services: &'a Services,
    pub clock: &'a Clock,
    pub laboratory: &'a Laboratory,
    pub files: &'a DemoFiles,
    pub folder: &'a Path,
    pub out: &'a mut dyn Write,
}

/// An application as the desk's form begins.
fn application(business: Business, applicant: &str, product: &str, lot: (&str, &str, &str)) -> NewApplication {
    NewApplication {
        business,
        purpose: Purpose::Initial,
        pre_submission: false,
        standard_verification: false,
        institute_id: None,
        applicant_id: Some(applicant.into()),
        product_id: product.into(),
        specification_id: None,
        arrived_at_port_on: None,
        notice_received_on: None,
        sampled_on: None,
        acceptance_number: None,
        particulars: Particulars::default(),
        batches: vec![NewBatch {
            lot_number: lot.0.into(),
            produced_on: Some(lot.1.into()),
            expires_on: Some(lot.2.into()),
            lot_size: None,
            despite_duplicate: None,
        }],
    }
}

/// The password that everybody of the demonstration signs with.
fn password() -> Option<Password> {
    Some(PASSWORD.to_owned().into())
}

/// A day of March 2026.
fn march(day: u32) -> Option<TypedDate> {
    NaiveDate::from_ymd_opt(2026, 3, day).map(TypedDate)
}

fn arrived(lot: &str, containers: i64, celsius: Decimal, packages: i64) -> Receipt {
    Receipt {
        samples: vec![NewSample {
            lot_number: lot.into(),
            containers: NewContainers::Count(containers),
            container_content: None,
            content_unit: None,
            temperature: Some(TypedDecimal(celsius)),
            seals_intact: true,
            packages,
            packages_intact: true,
            label_matches: true,
            note: String::new(),
            refuse_because: None,
        }],
    }
}

impl Story<'_> {
    /// Registration testing of a rare-disease drug in Shanxi.
    pub fn registration(&mut self) -> Result<PathBuf, DemoError> {
        let staff = &self.laboratory.shanxi;
        writeln!(self.out, "\n一、药品注册检验（山西，罕见病药品） Registration testing, rare-disease drug, Shanxi")?;
        self.clock.set(at(3, 4, 9));
        let mut application = application(
            Business::DrugRegistration,
            &self.laboratory.applicants[0],
            &self.laboratory.products[0],
            ("2601A", "2026-01-12", "2028-01-11"),
        );
        application.acceptance_number = Some("CXHS2699001".into());
        application.particulars.test_purpose = "注册检验".into();
        let taken = self.take_in(staff, application, arrived("2601A", 4, Decimal::new(51, 1), 1))?;
        self.clock.set(at(3, 10, 16));
        self.findings(staff, &[("description", "内容物为白色粉末")])?;
        match self.files {
            DemoFiles::Own { assay, related, .. } => {
                self.file(staff, related, None, &taken)?;
                self.file(staff, assay, None, &taken)?;
            }
            DemoFiles::Real { liquid, .. } => self.file(staff, &liquid.file, Some(liquid), &taken)?,
        }
        self.clock.set(at(3, 13, 10));
        self.finish(staff, &taken)
    }

    /// Lot release of a seasonal influenza vaccine at an authorised Shanghai institute.
    pub fn lot_release(&mut self) -> Result<PathBuf, DemoError> {
        let staff = &self.laboratory.shanghai;
        writeln!(
            self.out,
            "\n二、生物制品批签发（上海，季节性流感疫苗） Lot release, seasonal influenza vaccine, Shanghai"
        )?;
        self.clock.set(at(3, 9, 10));
        let mut application = application(
            Business::LotRelease,
            &self.laboratory.applicants[1],
            &self.laboratory.products[1],
            ("202602013", "2026-02-08", "2027-02-07"),
        );
        application.particulars.summary_protocol = "SJ-LP-2026-013".into();
        application.particulars.release_quantity = "86000 支".into();
        let taken = self.take_in(staff, application, arrived("202602013", 60, Decimal::new(42, 1), 2))?;
        self.clock.set(at(3, 17, 17));
        if let DemoFiles::Own { plate, .. } = self.files {
            self.file(staff, plate, None, &taken)?;
        } else if let DemoFiles::Real { plate, .. } = self.files {
            self.file(staff, &plate.file, Some(plate), &taken)?;
        }
        self.clock.set(at(3, 25, 15));
        self.findings(
            staff,
            &[("appearance", "微乳白色液体，无异物"), ("sterility", "无菌生长"), ("endotoxin", "<5")],
        )?;
        self.protocol(staff, &taken, "SJ-LP-2026-013")?;
        self.clock.set(at(3, 27, 10));
        self.finish(staff, &taken)
    }

    /// Port-of-entry testing in Shanghai of an imported, clinically urgent drug.
    pub fn port_entry(&mut self) -> Result<PathBuf, DemoError> {
        let staff = &self.laboratory.shanghai;
        writeln!(
            self.out,
            "\n三、进口药品通关检验（上海口岸，临床急需） Port-of-entry testing, clinically urgent, Shanghai"
        )?;
        self.clock.set(at(3, 16, 9));
        let mut application = application(
            Business::PortEntry,
            &self.laboratory.applicants[2],
            &self.laboratory.products[2],
            ("DP26017", "2025-12-02", "2028-11-30"),
        );
        application.arrived_at_port_on = march(13);
        application.notice_received_on = march(16);
        application.particulars = Particulars {
            import_registration: "国药准字HJ20269901".into(),
            notice_number: "SH-TZ-2026-0031".into(),
            contract_number: "HN-2026-017".into(),
            import_quantity: "1200 瓶".into(),
            port: "上海".into(),
            sampling_place: "上海浦东机场海关监管仓库".into(),
            sampling_packages: "3 件".into(),
            manufacturer_report: "CoA DP26017".into(),
            ..Particulars::default()
        };
        let id = act(self.services, &staff.receiver, SubmitCase(application))?.application_id;
        let accepted = act(self.services, &staff.receiver, AcceptCase { id: id.clone(), despite_duplicate: None })?;
        self.tell(&accepted)?;
        self.clock.set(at(3, 17, 11));
        let sampled =
            RecordDates { id: id.clone(), arrived_at_port_on: None, notice_received_on: None, sampled_on: march(17) };
        act(self.services, &staff.sampler, sampled)?;
        writeln!(self.out, "  抽样 sampled: 2026-03-17")?;
        self.clock.set(at(3, 17, 14));
        let samples = arrived("DP26017", 6, Decimal::new(210, 1), 3).samples;
        let taken = act(self.services, &staff.receiver, ReceiveSamples { id, samples })?;
        tell::received(self.out, &taken)?;
        self.clock.set(at(3, 18, 15));
        match self.files {
            DemoFiles::Own { gas, balance, .. } => {
                self.file(staff, gas, None, &taken)?;
                self.file(staff, balance, None, &taken)?;
            }
            DemoFiles::Real { gas, balance, .. } => {
                self.file(staff, &gas.file, Some(gas), &taken)?;
                self.file(staff, &balance.file, Some(balance), &taken)?;
            }
        }
        self.clock.set(at(3, 19, 10));
        self.finish(staff, &taken)
    }

    fn take_in(&mut self, staff: &Staff, application: NewApplication, receipt: Receipt) -> Result<Taken, DemoError> {
        let taken = act(self.services, &staff.receiver, TakeIn { application, receipt })?;
        self.tell(&taken)?;
        tell::received(self.out, &taken)?;
        Ok(taken)
    }

    fn tell(&mut self, taken: &Taken) -> Result<(), DemoError> {
        writeln!(self.out, "  受理 accepted: {}", taken.application_number)?;
        if let Some(determination) = &taken.determination {
            tell::determination(self.out, &self.services.regulation, determination)?;
        }
        Ok(())
    }

    /// Takes an instrument file in and accepts what it proposes for our sample.
    fn file(&mut self, staff: &Staff, file: &DemoFile, real: Option<&Picked>, taken: &Taken) -> Result<(), DemoError> {
        let named = NamedFile { name: file.name.clone(), bytes: file.bytes.clone() };
        let id = instruments::upload(self.services, &staff.analyst, named, None)?.id;
        if let Some(picked) = real {
            let sample_number = taken.samples.first().map(|sample| sample.number.clone());
            let found = MatchName { id: id.clone(), sample_text: picked.sample_text.clone(), sample_number };
            act(self.services, &staff.analyst, found)?;
        }
        let view =
            instruments::view(self.services, &self.services.reader(&staff.analyst).map_err(Failure::from)?, &id)?;
        let adapter = view.file.adapter.clone().unwrap_or_default();
        writeln!(
            self.out,
            "  仪器文件 file: {} → {adapter}, {} 个值 values, 完整性 complete: {:?}, SHA-256 {}…",
            file.name,
            view.observations.len(),
            view.file.complete,
            view.file.sha256.get(..16).unwrap_or_default()
        )?;
        let wrong = view.file.problems.iter().any(|one| one.severity == ProblemSeverity::Error);
        let accept = AcceptFile {
            confirm_complete: true,
            despite_problems: wrong.then(|| "演示：问题已由检验人员逐项核对".to_owned()),
            reagents: "对照品与试剂见演示记录".into(),
            ..AcceptFile::all_of(id.clone())
        };
        let accepted = act(self.services, &staff.analyst, accept)?;
        let read = view.proposals.iter().flat_map(|one| &one.readings).map(|one| one.observation_id.clone());
        self.check(staff, &id, &read.collect::<Vec<_>>())?;
        for entered in &accepted.entered {
            if let Some(result) = &entered.result {
                writeln!(
                    self.out,
                    "    结果 result: {} → {} ({})",
                    result.calculated, result.reported, result.verdict
                )?;
            }
        }
        Ok(())
    }

    /// The second person goes from every value back to the file, and records what was found.
    fn check(&mut self, staff: &Staff, id: &InstrumentFileId, read: &[ObservationId]) -> Result<(), DemoError> {
        let reader = self.services.reader(&staff.reviewer).map_err(Failure::from)?;
        let mut found = 0;
        for observation in read {
            let wanted = Wanted { observation: Some(observation.clone()), ..Wanted::default() };
            let source = instruments::source(self.services, &reader, id, &wanted)?;
            let raw = source.observation.map(|seen| seen.raw);
            let marked = source.lines.into_iter().filter_map(|line| line.mark).next();
            found += usize::from(marked.map(|mark| mark.value) == raw);
        }
        let ok = CheckImport {
            id: id.clone(),
            outcome: CheckOutcome::Ok,
            reason: String::new(),
            task_id: None,
            password: password(),
            code: None,
        };
        act(self.services, &staff.reviewer, ok)?;
        let all = read.len();
        writeln!(self.out, "    导入复核 import checked: {found}/{all} 个值在原文中标出 marked in the file")?;
        Ok(())
    }

    /// Enters findings by hand.
    fn findings(&mut self, staff: &Staff, findings: &[(&str, &str)]) -> Result<(), DemoError> {
        for (item, text) in findings {
            for row in self.queue(staff, None, Some(item))? {
                let entry = TaskEntry {
                    readings: vec![NewReading {
                        name: "x".into(),
                        position: 1,
                        raw: (*text).into(),
                        source: Source::Typed,
                    }],
                    conforms: Some(true),
                    ..TaskEntry::default()
                };
                act(self.services, &staff.analyst, EnterReadings::of(row.task_id, entry))?;
            }
        }
        Ok(())
    }

    fn queue(&self, staff: &Staff, state: Option<TaskState>, item: Option<&str>) -> Result<Vec<QueueRow>, DemoError> {
        let reader = self.services.reader(&staff.analyst).map_err(crate::store::Failure::from)?;
        let filter = QueueFilter {
            state: state.map(|state| state.to_string()),
            item: item.map(str::to_owned),
            limit: Some(500),
            ..QueueFilter::default()
        };
        Ok(self.services.db.read(|conn| views::queue(conn, &reader, &filter))?.items)
    }

    /// Review, decision where a result is out of specification, then draft, review and signature of the certificate.
    fn finish(&mut self, staff: &Staff, taken: &Taken) -> Result<PathBuf, DemoError> {
        self.review(staff)?;
        let sample = taken.samples.first().map(|sample| sample.id.to_string()).unwrap_or_default();
        let services = self.services;
        let draft = DraftCertificate { sample_id: sample.into(), amends: None };
        let id = act(services, &staff.reviewer, draft)?.id;
        act(services, &staff.quality, ReviewCertificate { id: id.clone(), password: password(), code: None })?;
        let sign = SignCertificate { id, password: password(), code: None, meaning: IssueMeaning::Authorised };
        let issued = act(services, &staff.signatory, sign)?;
        let number = issued.number.unwrap_or_default();
        let path = self.folder.join(format!("{number}.pdf"));
        let pdf = services.files.get(&issued.pdf_sha256.unwrap_or_default()).map_err(crate::store::Failure::from)?;
        std::fs::write(&path, pdf).map_err(|error| file_error(&path, &error))?;
        writeln!(self.out, "  签发 issued: {number}")?;
        writeln!(self.out, "  {}", path.display())?;
        Ok(path)
    }

    /// The maker's summary protocol of the lot is reviewed beside the tests.
    fn protocol(&mut self, staff: &Staff, taken: &Taken, number: &str) -> Result<(), DemoError> {
        for sample in &taken.samples {
            let found = ReviewProtocol {
                id: sample.id.clone(),
                protocol_number: number.into(),
                outcome: ProtocolOutcome::Conforms,
                note: String::new(),
                password: password(),
                code: None,
            };
            act(self.services, &staff.reviewer, found)?;
        }
        writeln!(self.out, "  批记录摘要审核 summary protocol reviewed: {number}")?;
        Ok(())
    }

    fn review(&mut self, staff: &Staff) -> Result<(), DemoError> {
        let reader = self.services.reader(&staff.reviewer).map_err(crate::store::Failure::from)?;
        let all = ReviewFilter { limit: Some(500), ..ReviewFilter::default() };
        let listed = self.services.db.read(|conn| views::to_review(conn, &reader, &all))?;
        for row in listed.items {
            let approved = ReviewResult {
                id: row.result.id,
                outcome: ReviewOutcome::Approved,
                note: String::new(),
                import_checked: false,
                password: password(),
                code: None,
            };
            act(self.services, &staff.reviewer, approved)?;
        }
        for row in self.queue(staff, Some(TaskState::Oos), None)? {
            writeln!(self.out, "  超标 OOS: {} {} → 确认 confirmed", row.sample_number, row.item_zh)?;
            let points = self.services.regulation.failing().point.clone();
            let answer = |point: FailingWord| PointAnswer {
                point: point.code,
                finding: CheckFinding::InOrder,
                note: String::new(),
            };
            let checked = CheckLaboratory {
                id: row.task_id.clone(),
                answers: points.into_iter().map(answer).collect(),
                cause: None,
                evidence: String::new(),
                reason: "演示：实验室检查未发现可归因的差错".into(),
            };
            act(self.services, &staff.reviewer, checked)?;
            let decided = ConfirmFailure {
                id: row.task_id,
                reason: "演示：未查明原因，原结果有效".into(),
                password: password(),
                code: None,
            };
            act(self.services, &staff.quality, decided)?;
        }
        Ok(())
    }
}
