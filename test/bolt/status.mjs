// The simplest bot that @slack/bolt allows for `/dh status PROCESS`: it acks,
// sends the status command of the process with ssh over a persistent
// connection, and posts the output. Environment: DHBOT_SLACK (the server's
// URL), DHBOT_APP_TOKEN, DHBOT_BOT_TOKEN, DHBOT_HOSTS (a JSON file: process →
// {address, port, sent}), DHBOT_SSH_CONFIG. Runs until it is killed.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import bolt from '@slack/bolt';

const run = promisify(execFile);
const hosts = JSON.parse(readFileSync(process.env.DHBOT_HOSTS, 'utf8'));
const app = new bolt.App({
  token: process.env.DHBOT_BOT_TOKEN, appToken: process.env.DHBOT_APP_TOKEN, socketMode: true,
  clientOptions: { slackApiUrl: `${process.env.DHBOT_SLACK}/api/` }, logLevel: 'error',
});

app.command('/dh', async ({ ack, command, client }) => {
  await ack();
  const host = hosts[command.text.replace('status ', '')];
  const { stdout } = await run('ssh', ['-F', process.env.DHBOT_SSH_CONFIG, '-p', host.port, host.address, host.sent]);
  await client.chat.postMessage({ channel: command.channel_id, text: '```' + stdout + '```' });
});

await app.start();
