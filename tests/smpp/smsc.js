// An SMSC that is not ours: npm's `smpp` takes submissions, writes each down before it answers, and sends receipts.
//
//   NODE_PATH=.../node_modules node smsc.js TRANSCRIPT [CUT ...]
//
// Each CUT is a count of submissions at which every connection is destroyed, that submission taken and not answered.
// Prints `listening PORT`. A transcript line: {"to", "from", "text", "udh", "id", "answered"}.
'use strict';
const fs = require('fs');
const smpp = require('smpp');

const [transcript, ...cuts] = process.argv.slice(2);
const cutAt = new Set(cuts.map(Number));
const out = fs.openSync(transcript, 'a', 0o600);
const sessions = new Set();
let taken = 0;

function text(message) {
  return typeof message === 'object' && message !== null && 'message' in message ? message.message : message;
}

function receipt(session, submit, id) {
  if (session.closed) return;
  const date = '2611230000';
  session.deliver_sm({
    source_addr: submit.destination_addr, source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: submit.source_addr, esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    receipted_message_id: id, message_state: smpp.MESSAGE_STATE.DELIVERED,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:${date} done date:${date} stat:DELIVRD err:000 text:`,
  });
}

const server = smpp.createServer((session) => {
  sessions.add(session);
  const gone = () => { session.closed = true; sessions.delete(session); };
  session.on('close', gone);
  session.on('error', gone);
  session.on('bind_transceiver', (pdu) => session.send(pdu.response({ system_id: 'npm' })));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => {
    if (session.closed) return; // what was read with the cut is not taken
    taken += 1;
    const cut = cutAt.has(taken);
    const id = `npm-${taken.toString(16).padStart(8, '0')}`;
    const message = pdu.short_message || pdu.message_payload;
    const udh = message && message.udh ? message.udh.map((each) => each.toString('hex')) : null;
    const line = { to: pdu.destination_addr, from: pdu.source_addr, text: text(message), udh, id, answered: !cut };
    fs.writeSync(out, JSON.stringify(line) + '\n');
    if (cut) {
      for (const each of [...sessions]) { each.closed = true; each.socket.destroy(); }
      return;
    }
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery) setTimeout(receipt, 5, session, pdu, id);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
