/** A cloud of Microsoft's: where its tokens come from, and the resources that its key stores are. */
export interface AzureCloud {
  readonly authority: string
  /** DNS suffixes of vaults and of Managed HSMs; `https://` before one is the tokens' resource. */
  readonly suffixes: readonly [vaults: string, hsms: string]
}

/** Name of a cloud. */
export type AzureCloudName = 'public' | 'china' | 'us-government'

/**
 * Clouds by name, as Microsoft's own clients know them ("Azure Key Vault keys, secrets and
 * certificates overview", DNS suffixes; "National clouds", authentication endpoints).
 */
export const AZURE_CLOUDS: Readonly<Record<AzureCloudName, AzureCloud>> = {
  public: {
    authority: 'https://login.microsoftonline.com',
    suffixes: ['vault.azure.net', 'managedhsm.azure.net'],
  },
  china: {
    authority: 'https://login.partner.microsoftonline.cn',
    suffixes: ['vault.azure.cn', 'managedhsm.azure.cn'],
  },
  'us-government': {
    authority: 'https://login.microsoftonline.us',
    suffixes: ['vault.usgovcloudapi.net', 'managedhsm.usgovcloudapi.net'],
  },
}
