// A web server that greets, counts what it answered, and says that it is well.
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'

const { GREETING = 'Hello', KEY = '', POD_NAME = 'here', POD_IP = '0.0.0.0' } = process.env
const answered = new Map()

const page = () => {
  const seal = createHmac('sha256', KEY).update(POD_NAME).digest('hex').slice(0, 12)
  return `<!doctype html>
<title>${GREETING}</title>
<body style="font: 1.1rem/1.6 system-ui; max-width: 40rem; margin: 4rem auto">
<h1>${GREETING}</h1>
<p>Answered by <code>${POD_NAME}</code>, signed with a key of the secret store: <code>${seal}</code>.</p>
<p>Change <code>Teams/demo/web/server.mjs</code>, commit, and reload.</p>
</body>
`
}

const metrics = () =>
  [
    '# TYPE web_requests_total counter',
    ...[...answered].map(([status, count]) => `web_requests_total{status="${status}"} ${count}`),
  ].join('\n') + '\n'

const routes = {
  '/': () => [200, 'text/html; charset=utf-8', page()],
  '/healthz': () => [200, 'text/plain', 'ok\n'],
  '/metrics': () => [200, 'text/plain; version=0.0.4', metrics()],
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://web')
  const answer = Object.hasOwn(routes, pathname) ? routes[pathname]() : [404, 'text/plain', 'not found\n']
  const [status, type, body] = answer
  answered.set(status, (answered.get(status) ?? 0) + 1)
  response.writeHead(status, { 'content-type': type }).end(body)
})

server.listen(8080, POD_IP, () => console.log(`listening on ${POD_IP}:8080`))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
