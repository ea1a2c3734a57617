//! Main memory and swap.

use super::Files;

/// What there is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Main memory.
    pub total: u64,
    /// Swap space.
    pub swap: u64,
    /// Swap space that holds something.
    pub swap_used: u64,
}

impl Memory {
    /// As the system says.
    pub fn of(files: &Files) -> Option<Self> {
        Self::parse(&files.text("proc/meminfo")?)
    }

    fn parse(meminfo: &str) -> Option<Self> {
        let bytes = |name: &str| -> Option<u64> {
            let mut fields = meminfo.lines().filter_map(|line| line.split_once(':'));
            let (_, value) = fields.find(|(found, _)| *found == name)?;
            let kib: u64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
            kib.checked_mul(1024)
        };
        let swap = bytes("SwapTotal").unwrap_or_default();
        Some(Self {
            total: bytes("MemTotal")?,
            swap,
            swap_used: swap.saturating_sub(bytes("SwapFree").unwrap_or(swap)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilobytes_become_bytes() {
        let meminfo = "MemTotal:       24684084 kB\nSwapTotal:  2048 kB\nSwapFree:  1024 kB\n";
        let memory = Memory {
            total: 24_684_084 * 1024,
            swap: 2 << 20,
            swap_used: 1 << 20,
        };
        assert_eq!(Memory::parse(meminfo), Some(memory));
        assert_eq!(Memory::parse("MemTotal: many\n"), None);
    }
}
