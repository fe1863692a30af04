//! netCDF-3: classic (`CDF\x01`) and with 64-bit offsets (`CDF\x02`), big-endian.
//!
//! The header is read here and not by a crate, because every count in it is a claim: lists grow as their
//! entries are found, and a variable is looked at only where its bytes are in the file. The tests read the
//! same files with the crate netcdf3 and compare.

use crate::encodings::Bytes;
use crate::text::{Line, Text};

/// Deepest list of dimensions that a variable of a measurement has.
const MAX_RANK: usize = 8;

/// A parsed header over the file's bytes.
#[derive(Debug)]
pub(crate) struct Netcdf<'a> {
    bytes: &'a [u8],
    pub dimensions: Vec<Dimension>,
    pub attributes: Vec<Attribute>,
    pub variables: Vec<Variable>,
    /// Bytes between one record and the next.
    record_size: usize,
    records: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Dimension {
    pub name: String,
    /// Number of entries; that of the record dimension is counted.
    pub size: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub name: String,
    /// Text, or numbers separated by blanks.
    pub text: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub name: String,
    /// Numbers of its dimensions, the slowest first.
    pub dimensions: Vec<usize>,
    pub attributes: Vec<Attribute>,
    kind: Kind,
    begin: usize,
    record: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Byte,
    Char,
    Short,
    Int,
    Float,
    Double,
}

impl Kind {
    fn of(tag: u32) -> Option<Self> {
        Some(match tag {
            1 => Self::Byte,
            2 => Self::Char,
            3 => Self::Short,
            4 => Self::Int,
            5 => Self::Float,
            6 => Self::Double,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::Byte | Self::Char => 1,
            Self::Short => 2,
            Self::Int | Self::Float => 4,
            Self::Double => 8,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Byte => "byte",
            Self::Char => "char",
            Self::Short => "short",
            Self::Int => "int",
            Self::Float => "float",
            Self::Double => "double",
        }
    }
}

/// How far a file fits its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Every byte that the header speaks of is there.
    Whole,
    /// Only the filling behind the last value is missing.
    Unpadded,
    /// Values are missing.
    Cut,
}

/// Reads the header from the front; every step says what was expected.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    wide: bool,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).ok_or_else(|| self.cut())?;
        let part = self.bytes.get(self.at..end).ok_or_else(|| self.cut())?;
        self.at = end;
        Ok(part)
    }

    fn cut(&self) -> String {
        format!("the header ends within byte {} of {}", self.at, self.bytes.len())
    }

    fn word(&mut self) -> Result<u32, String> {
        Ok(self.take(4)?.iter().fold(0, |sum, b| (sum << 8) | u32::from(*b)))
    }

    fn count(&mut self) -> Result<usize, String> {
        let word = self.word()?;
        // Nothing can be more than there are bytes.
        usize::try_from(word)
            .ok()
            .filter(|n| *n <= self.bytes.len())
            .ok_or_else(|| format!("byte {}: {word} entries in a file of {} bytes", self.at, self.bytes.len()))
    }

    fn padded(&mut self, count: usize) -> Result<&'a [u8], String> {
        let part = self.take(count)?;
        self.at = self.at.saturating_add(padding(count)).min(self.bytes.len());
        Ok(part)
    }

    fn name(&mut self) -> Result<String, String> {
        let length = self.count()?;
        Ok(decode(self.padded(length)?))
    }

    /// The tag and number of a list; an absent one has two zeros.
    fn list(&mut self, tag: u32, what: &str) -> Result<usize, String> {
        let found = self.word()?;
        let count = self.count()?;
        if (found == tag) || (found == 0 && count == 0) {
            Ok(count)
        } else {
            Err(format!("byte {}: no list of {what}", self.at))
        }
    }

    fn kind(&mut self) -> Result<Kind, String> {
        let tag = self.word()?;
        Kind::of(tag).ok_or_else(|| format!("byte {}: {tag} is no type of numbers", self.at))
    }

    fn attributes(&mut self) -> Result<Vec<Attribute>, String> {
        let mut list = Vec::new();
        for _ in 0..self.list(12, "attributes")? {
            let name = self.name()?;
            let kind = self.kind()?;
            let count = self.count()?;
            let bytes = self.padded(count.checked_mul(kind.size()).ok_or_else(|| self.cut())?)?;
            let text = if kind == Kind::Char {
                decode(bytes)
            } else {
                let texts: Vec<String> =
                    bytes.chunks_exact(kind.size()).filter_map(|part| Scalar::of(kind, part)?.text()).collect();
                texts.join(" ")
            };
            list.push(Attribute { name, text });
        }
        Ok(list)
    }
}

fn padding(count: usize) -> usize {
    (4 - count % 4) % 4
}

/// Text up to its first NUL, in what its bytes prove or else in the code page of Western Windows.
fn decode(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or_default();
    let (encoding, skip) = match Bytes::of(bytes) {
        Bytes::Proven(chosen) => chosen,
        Bytes::Ascii | Bytes::Other => (encoding_rs::WINDOWS_1252, 0),
    };
    encoding.decode_without_bom_handling(bytes.get(skip..).unwrap_or_default()).0.trim().to_owned()
}

/// One number as the file holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar {
    Whole(i64),
    Single(f32),
    Double(f64),
}

impl Scalar {
    fn of(kind: Kind, bytes: &[u8]) -> Option<Self> {
        Some(match kind {
            Kind::Byte | Kind::Char => Self::Whole(i64::from(i8::from_be_bytes(bytes.try_into().ok()?))),
            Kind::Short => Self::Whole(i64::from(i16::from_be_bytes(bytes.try_into().ok()?))),
            Kind::Int => Self::Whole(i64::from(i32::from_be_bytes(bytes.try_into().ok()?))),
            Kind::Float => Self::Single(f32::from_be_bytes(bytes.try_into().ok()?)),
            Kind::Double => Self::Double(f64::from_be_bytes(bytes.try_into().ok()?)),
        })
    }

    /// The shortest decimal that gives the same binary number again; `None` for what netCDF calls unfilled.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Whole(n) => (n != -32767 && n != -2_147_483_647).then(|| n.to_string()),
            Self::Single(n) => (n != 9.969_21e36).then(|| n.to_string()),
            Self::Double(n) => (n != 9.969_209_968_386_869e36).then(|| n.to_string()),
        }
    }
}

impl<'a> Netcdf<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// What the bytes are instead, or where the header breaks off.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let wide = match bytes.get(..4) {
            Some(b"CDF\x01") => false,
            Some(b"CDF\x02") => true,
            Some(b"CDF\x05") => return Err("netCDF with 64-bit data, which no chromatography file uses".into()),
            Some(b"\x89HDF") => return Err("HDF5 or netCDF-4, not netCDF-3".into()),
            _ => return Err("no netCDF-3 file".into()),
        };
        let mut cursor = Cursor { bytes, at: 4, wide };
        let records = cursor.word()?;
        let mut dimensions = Vec::new();
        let mut unlimited = None;
        for index in 0..cursor.list(10, "dimensions")? {
            let name = cursor.name()?;
            let size = usize::try_from(cursor.word()?).map_err(|e| e.to_string())?;
            if size == 0 {
                unlimited = Some(index);
            }
            dimensions.push(Dimension { name, size });
        }
        let attributes = cursor.attributes()?;
        let mut variables = Vec::new();
        for _ in 0..cursor.list(11, "variables")? {
            variables.push(variable(&mut cursor, dimensions.len(), unlimited)?);
        }
        let mut file = Self { bytes, dimensions, attributes, variables, record_size: 0, records: 0 };
        file.count_records(records, unlimited);
        Ok(file)
    }

    fn count_records(&mut self, declared: u32, unlimited: Option<usize>) {
        let of_records: Vec<usize> =
            self.variables.iter().filter(|v| v.record).map(|v| self.slab(v).unwrap_or(usize::MAX)).collect();
        self.record_size = match of_records.as_slice() {
            // A single one is not filled up to four bytes.
            [one] => *one,
            several => several.iter().fold(0, |sum, n| sum.saturating_add(n.saturating_add(padding(*n)))),
        };
        let begin = self.variables.iter().filter(|v| v.record).map(|v| v.begin).min();
        let behind = begin.and_then(|b| self.bytes.len().checked_sub(b)).unwrap_or_default();
        self.records = match declared {
            // Written by a program that did not come back to count them.
            u32::MAX => behind.checked_div(self.record_size).unwrap_or_default(),
            n => usize::try_from(n).unwrap_or(usize::MAX),
        };
        if let Some(dimension) = unlimited.and_then(|i| self.dimensions.get_mut(i)) {
            dimension.size = self.records;
        }
    }

    /// Bytes of a variable, or of one record of it.
    fn slab(&self, variable: &Variable) -> Option<usize> {
        let mut own = variable.dimensions.iter().skip(usize::from(variable.record));
        own.try_fold(variable.kind.size(), |size, d| size.checked_mul(self.dimensions.get(*d)?.size))
    }

    /// Whether the file has all the bytes that its header speaks of.
    pub fn extent(&self) -> Extent {
        let mut extent = Extent::Whole;
        for variable in &self.variables {
            let end = self.slab(variable).and_then(|slab| {
                if !variable.record {
                    return Some((variable.begin.checked_add(slab)?, padding(slab)));
                }
                let before = self.record_size.checked_mul(self.records.saturating_sub(1))?;
                let slab = if self.records == 0 { 0 } else { slab };
                let padding = if self.record_size == slab { 0 } else { padding(slab) };
                Some((variable.begin.checked_add(before)?.checked_add(slab)?, padding))
            });
            match end {
                Some((end, padding)) if end.saturating_add(padding) <= self.bytes.len() => {}
                Some((end, _)) if end <= self.bytes.len() => extent = Extent::Unpadded,
                _ => return Extent::Cut,
            }
        }
        extent
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name == name).map(|a| a.text.as_str())
    }

    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| v.name == name)
    }

    /// The dimension along which a variable runs.
    pub fn along(&self, variable: &Variable) -> Option<&Dimension> {
        self.dimensions.get(*variable.dimensions.first()?)
    }

    /// The bytes of entry `index` along the first dimension; `None` where they are not in the file.
    fn entry(&self, variable: &Variable, index: usize) -> Option<&'a [u8]> {
        let slab = self.slab(variable)?;
        let (length, step) = if variable.record {
            (slab, self.record_size)
        } else if variable.dimensions.is_empty() {
            (slab, slab)
        } else {
            let count = self.along(variable)?.size;
            let each = slab.checked_div(count)?;
            (each, each)
        };
        // A count that the file has no room for says nothing about where an entry is.
        let whole = variable.begin.checked_add(slab)?;
        if whole > self.bytes.len() || index >= self.along(variable).map_or(1, |d| d.size) {
            return None;
        }
        let start = variable.begin.checked_add(step.checked_mul(index)?)?;
        self.bytes.get(start..start.checked_add(length)?)
    }

    /// The number at `index`; the variable has no further dimension.
    pub fn number(&self, variable: &Variable, index: usize) -> Option<Scalar> {
        Scalar::of(variable.kind, self.entry(variable, index)?)
    }

    /// The text at `index`.
    pub fn text(&self, variable: &Variable, index: usize) -> Option<String> {
        self.entry(variable, index).map(decode)
    }

    /// Attributes, dimensions and variables, one a line.
    pub fn head(&self) -> Text {
        let attributes = self.attributes.iter().map(|a| format!("{} = {}", a.name, a.text.replace(['\r', '\n'], " ")));
        let dimensions = self.dimensions.iter().map(|d| format!("dimension {} = {}", d.name, d.size));
        let variables = self.variables.iter().map(|v| {
            let along: Vec<&str> =
                v.dimensions.iter().filter_map(|d| self.dimensions.get(*d)).map(|d| d.name.as_str()).collect();
            format!("variable {} {}({})", v.kind.name(), v.name, along.join(", "))
        });
        let lines: Vec<Line> = attributes
            .chain(dimensions)
            .chain(variables)
            .zip(1..)
            .map(|(text, number)| Line { number, text, terminated: true })
            .collect();
        Text { encoding: "netCDF-3", lines, broken_line: None, whole: String::new() }
    }
}

impl Variable {
    /// Numbers of 32 bits with some seven digits.
    pub fn is_single(&self) -> bool {
        self.kind == Kind::Float
    }

    pub fn is_text(&self) -> bool {
        self.kind == Kind::Char
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name == name).map(|a| a.text.as_str())
    }
}

fn variable(cursor: &mut Cursor, dimensions: usize, unlimited: Option<usize>) -> Result<Variable, String> {
    let name = cursor.name()?;
    let rank = cursor.count()?;
    if rank > MAX_RANK {
        return Err(format!("{name}: {rank} dimensions, at most {MAX_RANK} are expected"));
    }
    let mut own = Vec::new();
    for _ in 0..rank {
        let id = cursor.count()?;
        if id >= dimensions {
            return Err(format!("{name}: there is no dimension number {id}"));
        }
        own.push(id);
    }
    let attributes = cursor.attributes()?;
    let kind = cursor.kind()?;
    // The declared size says again what the dimensions say, and overflows for large ones.
    cursor.word()?;
    let high = if cursor.wide { cursor.word()? } else { 0 };
    let low = cursor.word()?;
    let begin = usize::try_from((u64::from(high) << 32) | u64::from(low)).map_err(|e| e.to_string())?;
    let record = unlimited.is_some() && own.first().copied() == unlimited;
    Ok(Variable { name, dimensions: own, attributes, kind, begin, record })
}

#[cfg(test)]
mod tests {
    use netcdf3::{DataSet, DataVector, FileReader, FileWriter, Version};

    use super::*;
    use crate::embedded::ADAPTERS;

    /// A file of every type, with records, as another program writes it.
    fn written(version: Version) -> Vec<u8> {
        let mut set = DataSet::new();
        set.add_global_attr_string("sample_name", "SX1").unwrap();
        set.add_global_attr_f64("amount", vec![2.5, 0.1]).unwrap();
        set.set_unlimited_dim("record", 3).unwrap();
        set.add_fixed_dim("wide", 2).unwrap();
        set.add_var_i16("short", &["record"]).unwrap();
        set.add_var_f32("float", &["record", "wide"]).unwrap();
        set.add_var_f64("double", &["wide"]).unwrap();
        set.add_var_i32("int", &[] as &[&str]).unwrap();
        set.add_var_i8("byte", &["wide"]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.cdf");
        let mut file = FileWriter::create_new(&path).unwrap();
        file.set_def(&set, version, 0).unwrap();
        file.write_var_i16("short", &[1, -2, 3]).unwrap();
        file.write_var_f32("float", &[0.1, 1e10, -3.25, 1e-38, f32::INFINITY, 0.0]).unwrap();
        file.write_var_f64("double", &[0.1, 1.0 / 3.0]).unwrap();
        file.write_var_i32("int", &[70_000]).unwrap();
        file.write_var_i8("byte", &[-1, 7]).unwrap();
        file.close().unwrap();
        std::fs::read(&path).unwrap()
    }

    fn texts(file: &Netcdf, name: &str) -> Vec<String> {
        let variable = file.variable(name).unwrap();
        (0..).map_while(|i| file.number(variable, i)).filter_map(Scalar::text).collect()
    }

    #[test]
    fn every_type_and_records() {
        for version in [Version::Classic, Version::Offset64Bit] {
            let bytes = written(version);
            let file = Netcdf::parse(&bytes).unwrap();
            assert_eq!(file.extent(), Extent::Whole);
            assert_eq!(file.attribute("sample_name"), Some("SX1"));
            assert_eq!(file.attribute("amount"), Some("2.5 0.1"));
            assert_eq!(texts(&file, "short"), ["1", "-2", "3"]);
            assert_eq!(texts(&file, "double"), ["0.1", "0.3333333333333333"]);
            assert_eq!(texts(&file, "int"), ["70000"]);
            assert_eq!(texts(&file, "byte"), ["-1", "7"]);
            assert_eq!(file.along(file.variable("float").unwrap()).unwrap().size, 3);
            for end in 0..bytes.len() {
                let cut = Netcdf::parse(&bytes[..end]).map(|f| f.extent());
                assert!(!matches!(cut, Ok(Extent::Whole)), "{end}");
            }
        }
    }

    /// The crate netcdf3 finds the same numbers in the samples.
    #[test]
    fn another_reader_agrees() {
        let files = ADAPTERS.iter().find(|a| a.id == "andi-netcdf").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut compared = 0;
        for sample in files.samples {
            let path = dir.path().join(sample.name);
            std::fs::write(&path, sample.bytes).unwrap();
            let mut other = FileReader::open(&path).unwrap();
            let file = Netcdf::parse(sample.bytes).unwrap();
            for (name, data) in other.read_all_vars().unwrap() {
                let wanted: Vec<Option<String>> = match data {
                    DataVector::F32(list) => list.into_iter().map(|n| Scalar::Single(n).text()).collect(),
                    DataVector::F64(list) => list.into_iter().map(|n| Scalar::Double(n).text()).collect(),
                    DataVector::I16(list) => list.into_iter().map(|n| Scalar::Whole(n.into()).text()).collect(),
                    _ => continue,
                };
                let variable = file.variable(&name).unwrap();
                let found: Vec<_> = (0..wanted.len()).map(|i| file.number(variable, i).unwrap().text()).collect();
                assert_eq!(found, wanted, "{name}");
                compared += found.len();
            }
        }
        assert!(compared > 40, "{compared}");
    }

    #[test]
    fn claims_are_not_believed() {
        let hostile = [b"CDF\x01\0\0\0\0\0\0\0\x0a\x7f\xff\xff\xff".as_slice(), &[0; 64]].concat();
        assert!(Netcdf::parse(&hostile).unwrap_err().contains("2147483647"));
        assert!(Netcdf::parse(b"\x89HDF\r\n\x1a\n").unwrap_err().contains("HDF5"));
        assert!(Netcdf::parse(b"CDF\x05").is_err());
        assert!(Netcdf::parse(b"").is_err());
    }
}
