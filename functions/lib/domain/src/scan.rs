//! Scans of a device that may be offline for a while: when they were taken by the one clock
//! that counts, and why one is refused while the others of its batch go in.

/// How far past the device's own present, or before the task, a scan may seem to be taken:
/// devices round their clocks.
const TOLERANCE_MS: i64 = 2_000;

/// The largest sequence number: what every JSON reader can hold exactly.
pub const MAX_SEQUENCE: i64 = (1 << 53) - 1;

/// Units of one scan, at most; the same number below zero takes units back.
pub const MAX_UNITS: i64 = 100_000;

/// The device's clock beside ours, at the moment when it sent its scans, and since when
/// there has been something to scan for. All in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    pub device_now_ms: i64,
    pub now_ms: i64,
    pub opened_at_ms: i64,
}

impl Clocks {
    /// When a scan was taken by our clock, given when it was by the device's.
    pub fn corrected(&self, scanned_at_ms: i64) -> Result<i64, Fault> {
        let ago_ms = self.device_now_ms.saturating_sub(scanned_at_ms);
        let at_ms = self.now_ms.saturating_sub(ago_ms);
        if ago_ms < -TOLERANCE_MS {
            return Err(Fault::InTheFuture);
        }
        if at_ms < self.opened_at_ms - TOLERANCE_MS {
            return Err(Fault::BeforeTheTask);
        }
        Ok(at_ms.min(self.now_ms).max(self.opened_at_ms))
    }
}

/// Why one scan is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    InvalidSequence,
    /// The device used the number for another scan.
    SequenceTaken,
    InvalidItem,
    InvalidGtin,
    UnknownGtin,
    UnknownSku,
    UnknownZone,
    NotInCount,
    NotInTransfer,
    InvalidQuantity,
    InvalidCondition,
    InvalidTime,
    InTheFuture,
    BeforeTheTask,
    TaskOver,
}

impl Fault {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidSequence => "invalid_sequence",
            Self::SequenceTaken => "sequence_taken",
            Self::InvalidItem => "invalid_item",
            Self::InvalidGtin => "invalid_gtin",
            Self::UnknownGtin => "unknown_gtin",
            Self::UnknownSku => "unknown_sku",
            Self::UnknownZone => "unknown_zone",
            Self::NotInCount => "not_in_count",
            Self::NotInTransfer => "not_in_transfer",
            Self::InvalidQuantity => "invalid_quantity",
            Self::InvalidCondition => "invalid_condition",
            Self::InvalidTime => "invalid_time",
            Self::InTheFuture => "in_the_future",
            Self::BeforeTheTask => "before_the_task",
            Self::TaskOver => "task_over",
        }
    }

    /// For people.
    pub fn detail(self) -> &'static str {
        match self {
            Self::InvalidSequence => "a sequence number is within 0 and 2^53 - 1",
            Self::SequenceTaken => "this device used the number for another scan",
            Self::InvalidItem => "name either a gtin or a sku",
            Self::InvalidGtin => "not 8, 12, 13 or 14 digits with their check digit",
            Self::UnknownGtin => "the brand has no item with this GTIN",
            Self::UnknownSku => "the brand has no such SKU",
            Self::UnknownZone => "this is not a zone of the count",
            Self::NotInCount => "this SKU is not among those that are counted",
            Self::NotInTransfer => "nothing of this SKU was sent with this transfer",
            Self::InvalidQuantity => "units are within ±100000, and none only in a count",
            Self::InvalidCondition => "only what is received has a condition",
            Self::InvalidTime => "not an RFC 3339 instant",
            Self::InTheFuture => "taken after the device's own present",
            Self::BeforeTheTask => "taken before there was something to scan for",
            Self::TaskOver => "nothing is scanned for this any more",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_wrong_about_the_time_is_right_about_how_long_ago() {
        let clocks = Clocks {
            device_now_ms: 500_000,
            now_ms: 10_000_000,
            opened_at_ms: 9_000_000,
        };
        assert_eq!(clocks.corrected(499_000), Ok(9_999_000));
        assert_eq!(clocks.corrected(501_500), Ok(10_000_000));
        assert_eq!(clocks.corrected(502_001), Err(Fault::InTheFuture));
        assert_eq!(clocks.corrected(-500_500), Ok(9_000_000));
        assert_eq!(clocks.corrected(-503_000), Err(Fault::BeforeTheTask));
        for extreme in [i64::MIN, i64::MAX] {
            assert!(clocks.corrected(extreme).is_err());
        }
    }
}
