//! Every script on records that the store would never write: wrong types, odd values, absent keys. A
//! script that answers an error or a refusal has changed nothing; promotions that were due, and come
//! first, are all that may have been made.

mod accounts;
mod competitions;
mod damage;
