//! What was known of an order on a morning.

use chrono::{NaiveDate, NaiveDateTime};

use crate::order::{Order, Progress, Status};

/// How far the order had got on the morning of this day, none if it had not been bought: later
/// times are blank, and the status is rolled back to the last step that was known. A status that no
/// date goes with stays.
pub(crate) fn known(order: &Order, until: NaiveDate) -> Option<Progress> {
    let morning = until.into();
    let before = |time: Option<NaiveDateTime>| time.filter(|time| *time < morning);
    let Progress {
        status,
        approved,
        collected,
        delivered,
    } = order.progress;
    let known = [approved, collected, delivered].map(before);
    let status = match known {
        [_, _, Some(_)] => status,
        _ if known == [approved, collected, delivered] => status,
        [_, Some(_), _] => Status::Shipped,
        [Some(_), ..] => Status::Processing,
        _ => Status::Created,
    };
    let [approved, collected, delivered] = known;
    let known = Progress {
        status,
        approved,
        collected,
        delivered,
    };
    (order.purchased < morning).then_some(known)
}
