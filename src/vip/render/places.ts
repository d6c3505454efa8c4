/** On the node. */
export const settingsFolder = '/etc/karmada-net/vip'
/** As kubeadm has it. */
export const authorityFile = '/etc/kubernetes/pki/ca.crt'
/** Which takes everything back; the kubelet runs it as long as it is there. */
export const uninstallFile = 'uninstall.yaml'
