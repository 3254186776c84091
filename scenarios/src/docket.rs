//! The items that can be put on trial.

use crate::item::Item;
use crate::message_history::MessageHistory;
use crate::message_send::MessageSend;
use crate::pagination::Pagination;

/// Every item, in the audit's order.
pub const ITEMS: [&dyn Item; 3] = [&MessageHistory, &MessageSend, &Pagination];

/// The item of an id.
pub fn item(id: &str) -> Option<&'static dyn Item> {
    ITEMS.into_iter().find(|item| item.id() == id)
}
