//! The rules for carts on several devices.
