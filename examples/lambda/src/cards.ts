import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'

/** The table: one item for each card, with its envelope in `card`. It never sees a plaintext. */
export class Cards {
  readonly #client: DynamoDBClient
  readonly #table: string

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client
    this.#table = table
  }

  async put(id: string, envelope: Uint8Array, signal: AbortSignal): Promise<void> {
    const Item = { id: { S: id }, card: { B: envelope } }
    const command = new PutItemCommand({ TableName: this.#table, Item })
    await this.#client.send(command, { abortSignal: signal })
  }

  async get(id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const command = new GetItemCommand({ TableName: this.#table, Key: { id: { S: id } } })
    const { Item } = await this.#client.send(command, { abortSignal: signal })
    return Item?.['card']?.B
  }

  async *all(signal: AbortSignal): AsyncGenerator<{ id: string; envelope: Uint8Array }> {
    let from
    do {
      const command: ScanCommand = new ScanCommand({
        TableName: this.#table,
        ExclusiveStartKey: from,
      })
      const page = await this.#client.send(command, { abortSignal: signal })
      for (const { id, card } of page.Items ?? []) {
        if (id?.S !== undefined && card?.B !== undefined) yield { id: id.S, envelope: card.B }
      }
      from = page.LastEvaluatedKey
    } while (from !== undefined)
  }
}
