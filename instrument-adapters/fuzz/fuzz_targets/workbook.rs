#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| instrument_adapters_fuzz::reader("workbook", data));
