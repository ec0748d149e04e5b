// Fails unless the registry says that it and what it depends on are well.
const response = await fetch(process.env.HEALTH_URL, { signal: AbortSignal.timeout(10_000) });
const health = await response.json();
process.stdout.write(`${response.status} ${JSON.stringify(health)}\n`);
process.exitCode = response.status === 200 && health.status === 'ok' ? 0 : 1;
