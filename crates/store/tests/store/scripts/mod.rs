//! Every call on records that the store never writes: wrong types, odd values, absent keys. A
//! script that replies an error or a refusal must have changed nothing, except promotions that were
//! due: it makes those first.

mod accounts;
mod competitions;
mod damage;
