//! The channel under a connection, on which anything could be sent.

use fedval_egress::Connection;

fn channel(connection: Connection) {
    //~ error[E0616]: field `channel` of struct `Connection` is private
    //~ private field
    let _ = connection.channel;
}

fn main() {}
