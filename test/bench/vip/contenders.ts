import { isGone, untilTable } from '../../e2e/vip/table.ts'
import type { ApiServer } from '../../sandbox/index.ts'
import type { VmNode } from '../../sandbox/vm-node.ts'

/** A way of a node to all API servers. */
export interface Contender {
  name: string
  host: string
  port: number
  start(): Promise<unknown>
  stop(): Promise<unknown>
  /** A script in bash that ends when it sends no more connections to an API server. Left out: it knows no such state. */
  removed?(address: string): string
}

/** What kubespray's template haproxy.cfg.j2 sets (v2.28), in own words. */
const haproxyConfig = (port: number, servers: string[]) => `global
  maxconn 4000
defaults
  mode http
  option http-server-close
  option redispatch
  retries 5
  timeout http-request 5m
  timeout queue 5m
  timeout connect 30s
  timeout client 5m
  timeout server 15m
  timeout http-keep-alive 30s
  timeout check 30s
frontend kube_api_frontend
  bind *:${port}
  mode tcp
  default_backend kube_api_backend
backend kube_api_backend
  mode tcp
  balance leastconn
  default-server inter 15s downinter 15s rise 2 fall 2 slowstart 60s maxconn 1000 maxqueue 256 weight 100
  option httpchk GET /healthz
  http-check expect status 200
${servers.map(server => `  server ${server} ${server}:6443 check check-ssl verify none\n`).join('')}`

/** The same of nginx.conf.j2. */
const nginxConfig = (port: number, servers: string[]) => `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
pid /run/nginx-bench.pid;
error_log stderr notice;
worker_processes 2;
worker_rlimit_nofile 130048;
worker_shutdown_timeout 10s;
events {
  multi_accept on;
  use epoll;
  worker_connections 16384;
}
stream {
  upstream kube_apiserver {
    least_conn;
${servers.map(server => `    server ${server}:6443;\n`).join('')}  }
  server {
    listen ${port};
    proxy_pass kube_apiserver;
    proxy_timeout 10m;
    proxy_connect_timeout 1s;
  }
}
`

/** All on the same node; one of the proxies runs at a time. `vip`: the virtual IP, which is there. */
export function contenders(vm: VmNode, vip: string, servers: ApiServer[]): Contender[] {
  const addresses = servers.map(({ address }) => address)
  const proxy = (name: string, port: number, config: string, command: string[]): Contender => {
    const [unit, file, log] = [`bench-${name}`, `/run/bench-${name}.conf`, `/run/bench-${name}.log`]
    return {
      name,
      host: vm.address,
      port,
      async start() {
        await vm.exec(['sh', '-c', `mkdir -p /var/log/nginx; rm -f ${log}; cat >${file}`], { input: config })
        const settings = ['StandardOutput', 'StandardError'].map(stream => `--property=${stream}=append:${log}`)
        await vm.exec(['systemd-run', '--collect', `--unit=${unit}`, ...settings, ...command, file])
        await vm.exec(['bash', '-c', `until (: </dev/tcp/127.0.0.1/${port}) 2>/dev/null; do sleep 0.2; done`])
      },
      stop: () => vm.exec(['systemctl', 'stop', unit]),
    }
  }
  const [first, second] = [7443, 8443]
  return [
    {
      name: 'vip',
      host: vip,
      port: 6443,
      start: async () => undefined,
      stop: async () => undefined,
      removed: address => untilTable(isGone(address)),
    },
    {
      ...proxy('haproxy', first, haproxyConfig(first, addresses), ['haproxy', '-db', '-f']),
      removed: address =>
        `while read -r line; do [[ $line == */${address}" is DOWN"* ]] && exit; done < <(tail -F -n 0 /run/bench-haproxy.log)`,
    },
    proxy('nginx', second, nginxConfig(second, addresses), ['nginx', '-e', 'stderr', '-c']),
  ]
}
