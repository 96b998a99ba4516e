// Drives the local Slack with @slack/bolt and @slack/socket-mode: a slash
// command, a mention, a button and a form, each from a person's action to the
// result that the person sees. Environment: DHBOT_SLACK (the server's URL),
// DHBOT_APP_TOKEN, DHBOT_BOT_TOKEN. Exits 0 if all checks passed.
import assert from 'node:assert/strict';
import bolt from '@slack/bolt';
import { SocketModeClient } from '@slack/socket-mode';

const base = process.env.DHBOT_SLACK;
const appToken = process.env.DHBOT_APP_TOKEN;
const token = process.env.DHBOT_BOT_TOKEN;
const clientOptions = { slackApiUrl: `${base}/api/` };

async function act(path, body) {
  const r = await fetch(`${base}/local/${path}`, { method: 'POST', body: JSON.stringify(body) });
  return r.json();
}

async function look(path) {
  return (await fetch(`${base}/local/${path}`)).json();
}

// until calls ask until ask returns a value, because a click takes effect later.
async function until(what, ask) {
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    const found = await ask();
    if (found) return found;
    await new Promise((r) => setTimeout(r, 10));
  }
  throw new Error(`timed out waiting for ${what}`);
}

const seenBy = async (user, channel = 'incident') => (await look(`messages?channel=${channel}&user=${user}`)).messages;

const card = [
  { type: 'section', text: { type: 'mrkdwn', text: 'Restart *db_dis*?' } },
  { type: 'actions', elements: [
    { type: 'button', action_id: 'approve', text: { type: 'plain_text', text: 'Approve' }, style: 'primary', value: 'R-7F3K' },
    { type: 'button', action_id: 'deny', text: { type: 'plain_text', text: 'Deny…' }, value: 'R-7F3K' },
  ] },
];

const form = {
  type: 'modal', callback_id: 'deny-form', private_metadata: 'R-7F3K',
  title: { type: 'plain_text', text: 'Deny R-7F3K' }, submit: { type: 'plain_text', text: 'Deny' },
  blocks: [{ type: 'input', block_id: 'why', label: { type: 'plain_text', text: 'Reason' }, element: { type: 'plain_text_input', action_id: 'reason' } }],
};

async function withBolt() {
  const app = new bolt.App({ token, appToken, socketMode: true, clientOptions, logLevel: 'error' });
  app.error(async (error) => { throw error; });
  app.command('/dh', async ({ ack, command, client, respond }) => {
    await ack({ text: `heard ${command.text}` });
    await client.chat.postMessage({ channel: command.channel_id, text: 'Approval needed', blocks: card });
    await respond({ text: 'posted', response_type: 'ephemeral' });
  });
  app.event('app_mention', async ({ event, say }) => {
    await say({ text: `you said ${event.text}`, thread_ts: event.thread_ts ?? event.ts });
  });
  app.action('approve', async ({ ack, body, client }) => {
    await ack();
    await client.chat.update({ channel: body.channel.id, ts: body.message.ts, text: `approved by ${body.user.id} of ${body.user.team_id}` });
  });
  app.action('deny', async ({ ack, body, client }) => {
    await ack();
    await client.views.open({ trigger_id: body.trigger_id, view: form });
  });
  app.view('deny-form', async ({ ack, body, view, client }) => {
    const reason = view.state.values.why.reason.value;
    if (reason.length < 5) {
      await ack({ response_action: 'errors', errors: { why: 'say a little more' } });
      return;
    }
    await ack();
    await client.chat.postMessage({ channel: 'C0INCIDENT', text: `denied by ${body.user.id}: ${reason}` });
  });
  app.event('app_home_opened', async ({ event, client }) => {
    await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'Board' } }] } });
  });
  await app.start();

  const slash = await act('slash', { user: 'operator', channel: 'incident', command: '/dh', text: 'restart db_dis' });
  assert.equal(slash.ok, true);
  assert.equal(slash.message.text, 'heard restart db_dis');
  const posted = await until('the card', async () => (await seenBy('approver')).find((m) => m.text === 'Approval needed'));
  assert.deepEqual(posted.blocks.map((b) => b.type), ['section', 'actions']);
  await until('the response_url', async () => (await seenBy('operator')).find((m) => m.text === 'posted' && m.ephemeral));

  const mention = await act('mention', { user: 'reader', channel: 'incident', text: '@dh status' });
  await until('the reply in the thread', async () => (await seenBy('reader')).find((m) => m.thread_ts === mention.ts && m.text === 'you said <@U0DHBOT00> status'));

  assert.equal((await act('click', { user: 'approver', channel: 'incident', ts: posted.ts, action_id: 'deny', value: 'R-7F3K' })).ok, true);
  const modal = await until('the form', async () => (await look('views?user=approver')).modals[0]);
  const short = await act('submit', { user: 'approver', view_id: modal.id, values: { reason: 'no' } });
  assert.deepEqual([short.ok, short.errors], [false, { why: 'say a little more' }]);
  assert.equal((await act('submit', { user: 'approver', view_id: modal.id, values: { reason: 'wrong host' } })).ok, true);
  assert.equal((await look('views?user=approver')).modals.length, 0);
  await until('the denial', async () => (await seenBy('reader')).find((m) => m.text === 'denied by U0APPROVER: wrong host'));

  assert.equal((await act('click', { user: 'approver', channel: 'incident', ts: posted.ts, action_id: 'approve', value: 'R-7F3K' })).ok, true);
  const edited = await until('the edit', async () => (await seenBy('reader')).find((m) => m.ts === posted.ts && m.edited_at));
  assert.equal(edited.text, 'approved by U0APPROVER of T0DHLOCAL');
  assert.equal(edited.blocks, undefined);

  await act('home', { user: 'reader' });
  await until('the Home tab', async () => (await look('views?user=reader')).home);

  const file = await app.client.filesUploadV2({ channel_id: 'C0INCIDENT', thread_ts: posted.ts, filename: 'db_dis.log', title: 'log', content: 'RUNNING\n' });
  assert.equal(file.ok, true);
  await until('the file', async () => (await seenBy('reader')).find((m) => m.files?.[0].title === 'log' && m.thread_ts === posted.ts));

  await assert.rejects(app.client.chat.postMessage({ channel: 'C0NOWHERE0', text: 'x' }), (e) => e.data.error === 'channel_not_found');
  await assert.rejects(app.client.chat.postMessage({ channel: 'C0INCIDENT', text: 'x', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] }),
    (e) => e.data.error === 'invalid_blocks' && e.data.response_metadata.messages[0].includes('/blocks/0/text/text'));
  await app.stop();
}

async function withSocketMode() {
  const client = new SocketModeClient({ appToken, clientOptions, logLevel: 'error', serverPingTimeout: 10_000, clientPingTimeout: 200 });
  let hellos = 0;
  client.on('connected', () => { hellos += 1; });
  client.on('slash_commands', async ({ body, ack }) => { await ack({ text: `again ${body.text}` }); });
  await client.start();
  await act('fault', { kind: 'disconnect', reason: 'refresh_requested' });
  await until('the second connection', async () => hellos === 2);
  const a = await act('slash', { user: 'operator', channel: 'incident', command: '/dh', text: 'after a refresh' });
  assert.equal(a.message.text, 'again after a refresh');
  await client.disconnect();
}

await withBolt();
await withSocketMode();
console.log('bolt and socket-mode: all checks passed');
process.exit(0);
