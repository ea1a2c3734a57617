//! How busy the machine is.

use super::Files;

/// Load average over 1, 5 and 15 minutes: processes that run, wait to run, or wait for a disk.
pub fn load_average(files: &Files) -> Option<[f64; 3]> {
    parse(&files.line("proc/loadavg")?)
}

fn parse(line: &str) -> Option<[f64; 3]> {
    let mut numbers = line.split_whitespace().map_while(|word| word.parse().ok());
    Some([numbers.next()?, numbers.next()?, numbers.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_average_is_three_numbers() {
        assert_eq!(parse("0.42 1.00 2.50 3/77 1"), Some([0.42, 1.0, 2.5]));
        assert_eq!(parse("0.42 1.00"), None);
    }
}
