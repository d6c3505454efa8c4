import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { UserError } from '../../errors.ts'
import { type Endpoint, formatEndpoint } from '../address.ts'
import { few } from './objections.ts'

/** One answer to a greeting takes no longer where there is a way at all. Milliseconds. */
const patienceMs = 3000

export interface SeenCertificate {
  server: Endpoint
  /** Is it valid for the name? Undefined: it could not be seen from here. */
  fits: boolean | undefined
}

/** The certificates that API servers show, looked at from here without trusting them. Never throws. */
export const seeCertificates = (servers: readonly Endpoint[], name: string): Promise<SeenCertificate[]> =>
  Promise.all(servers.map(async server => ({ server, fits: await fitsName(server, name) })))

function fitsName({ host, port }: Endpoint, name: string): Promise<boolean | undefined> {
  return new Promise(resolve => {
    // Nothing is sent to it: whose it is does not matter, only for whom it is.
    const socket = connect({ host, port, rejectUnauthorized: false, ...(isIP(name) ? {} : { servername: name }) })
    const settle = (fits: boolean | undefined) => {
      socket.destroy()
      resolve(fits)
    }
    socket.setTimeout(patienceMs, () => settle(undefined))
    socket.once('error', () => settle(undefined))
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      settle(certificate && (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
    })
  })
}

/** Throws `UserError` where an API server's certificate is not for the virtual IP, with what to run. Pure. */
export function requireName(seen: readonly SeenCertificate[], vip: string): void {
  const without = seen.filter(({ fits }) => fits === false).map(({ server }) => formatEndpoint(server))
  if (without.length === 0) return
  throw new UserError(`the certificates of these API servers are not valid for ${vip}: ${few(without)}`, {
    hint: reissue(vip),
  })
}

const reissue = (vip: string): string => `with kubeadm, on each of their machines:
  kubectl -n kube-system get configmap kubeadm-config -o jsonpath='{.data.ClusterConfiguration}' >kubeadm.yaml
  vi kubeadm.yaml        # apiServer: {certSANs: [${vip}]}, in addition to what is there
  mkdir -p /etc/kubernetes/apiserver-before && mv /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/apiserver.key /etc/kubernetes/apiserver-before/
  kubeadm init phase certs apiserver --config kubeadm.yaml
  crictl rm -f $(crictl ps --name kube-apiserver -q)
  kubeadm init phase upload-config kubeadm --config kubeadm.yaml        # once
or leave them as they are, and have clients check another name: --tls-server-name kubernetes`
